//! A part of the inputs, where several machines share them.

use std::str::FromStr;

use thiserror::Error;

/// Every `of`-th input from the one with this number on, which is at least 1 and at most `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

/// Why a shard can't be had.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ShardError {
    /// Not two whole numbers with a stroke between them.
    #[error("give I/N: 2/4 is the second of four parts")]
    NotTwoNumbers,
    /// Nothing is split into no parts.
    #[error("there are no parts: give I/N with an N of at least 1")]
    Empty,
    /// A part that is not there.
    #[error("there is no part {number} of {of}: parts are numbered from 1 to {of}")]
    OutOfRange {
        /// The part that was asked for.
        number: usize,
        /// How many there are.
        of: usize,
    },
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (number, of) = text.split_once('/').ok_or(ShardError::NotTwoNumbers)?;
        let whole = |text: &str| text.parse().map_err(|_| ShardError::NotTwoNumbers);
        let (number, of) = (whole(number)?, whole(of)?);
        if of == 0 {
            return Err(ShardError::Empty);
        }
        if !(1..=of).contains(&number) {
            return Err(ShardError::OutOfRange { number, of });
        }
        Ok(Self { number, of })
    }
}

impl Shard {
    /// What of `all` belongs to it.
    pub fn of<T>(self, all: Vec<T>) -> Vec<T> {
        let mine = all.into_iter().skip(self.number - 1).step_by(self.of);
        mine.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_without_a_rest() {
        for of in 1..=9 {
            let mut found: Vec<usize> = (1..=of)
                .flat_map(|number| Shard { number, of }.of((0..7).collect()))
                .collect();
            found.sort_unstable();
            assert_eq!(found, (0..7).collect::<Vec<_>>(), "{of}");
        }
        let second: Shard = "2/3".parse().unwrap();
        assert_eq!(second.of(vec!["a", "b", "c", "d", "e"]), ["b", "e"]);
    }

    #[test]
    fn what_is_no_shard_is_told() {
        let error = |text: &str| text.parse::<Shard>().unwrap_err();
        let missing = |number, of| ShardError::OutOfRange { number, of };
        assert_eq!(error("0/3"), missing(0, 3));
        assert_eq!(error("4/3"), missing(4, 3));
        assert_eq!(error("1/0"), ShardError::Empty);
        for text in [
            "", "/", "1", "1/", "/3", "one/two", "1/2/3", "-1/3", "1.5/3",
        ] {
            assert_eq!(error(text), ShardError::NotTwoNumbers, "{text}");
        }
    }
}
