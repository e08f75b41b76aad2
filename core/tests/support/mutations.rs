//! Random changes of bytes, for tests that ask what becomes of damaged files.

use super::random::Random;

/// Numbers that programs stumble over, as text and as bytes.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483647",
    "4294967295",
    "9223372036854775807",
    "18446744073709551615",
    "1e308",
    "-1e-308",
    "0.5",
    "null",
    "\"\"",
];

/// Changes something somewhere; headers, which come first, more often than the rest.
pub fn mutate(bytes: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    let near_the_start = random.below(2) == 0;
    let reach = if near_the_start {
        bytes.len().min(4_096)
    } else {
        bytes.len()
    };
    let at = random.below(reach);
    let most = 1 << random.below(8);
    let count = 1 + random.below(most);
    let end = (at + count).min(bytes.len());
    match random.below(9) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 => {
            for byte in &mut bytes[at..end] {
                *byte = random.next() as u8;
            }
        }
        2 => bytes[at..end].fill([0, 0xff, 0x80, 0x7f][random.below(4)]),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        6 => {
            let other = &others[random.below(others.len())];
            let from = random.below(other.len());
            let part = &other[from..(from + count).min(other.len())];
            bytes.splice(at..end, part.iter().copied());
        }
        _ => replace_number(bytes, at, random),
    }
}

/// Puts another number in the place of the next one that is written in digits.
fn replace_number(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    let Some(begin) = bytes[at..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let begin = at + begin;
    let rest = bytes[begin..].iter();
    let length = rest
        .take_while(|b| b.is_ascii_digit() || **b == b'.')
        .count();
    let number = NUMBERS[random.below(NUMBERS.len())];
    bytes.splice(begin..begin + length, number.bytes());
}
