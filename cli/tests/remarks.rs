//! What the `weft` binary says of files beside what it makes of them.

#[allow(dead_code, reason = "chains of OGG alone are needed")]
#[path = "../../core/tests/support/streams.rs"]
mod streams;
mod support;

use std::fs;

use streams::ogg_flac;
use support::{pipe, records, stderr, succeed, weft};

#[test]
fn what_a_file_was_made_of_and_that_there_is_more_of_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let noise = |seed: u32, frames: usize| -> Vec<i16> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let numbers = std::iter::successors(Some(seed), next);
        numbers
            .map(|x| (x >> 18) as i16 - 8_192)
            .take(frames)
            .collect()
    };
    let whole = ogg_flac(1, 8_000, &[noise(1, 61 * 8_000)]);
    fs::write(path.join("long.ogg"), whole).unwrap();
    let [mono, stereo] = [1, 2].map(|channels| {
        let sides = (0..channels).map(|side| noise(side as u32, 3 * 8_000 * channels));
        ogg_flac(
            channels as u32,
            8_000 * channels as u32,
            &sides.collect::<Vec<_>>(),
        )
    });
    fs::write(path.join("chain.ogg"), [mono.clone(), stereo].concat()).unwrap();
    fs::write(path.join("alike.ogg"), [mono.clone(), mono].concat()).unwrap();

    let said = succeed(path, "info long.ogg chain.ogg alike.ogg --json");
    let said = records(&said);
    let cut = "only its first 60 s are read";
    let joined = "different sample rates and channels: all of it is taken at 8000 Hz and in stereo";
    for (record, expected) in said.iter().zip([Some(cut), Some(joined), None]) {
        let remarks = record["remarks"].as_array().unwrap();
        assert_eq!(remarks.len(), usize::from(expected.is_some()), "{record}");
        assert!(expected.is_none_or(|part| remarks[0].as_str().unwrap().contains(part)));
        assert_eq!(record["is_first_part"] == true, expected == Some(cut));
    }
    // From the standard input, and by what fits, the same.
    let piped = pipe(
        path,
        "info - --json",
        &fs::read(path.join("chain.ogg")).unwrap(),
    );
    let piped = records(std::str::from_utf8(&piped).unwrap());
    assert_eq!(piped[0]["remarks"], said[1]["remarks"]);
    for (name, expected) in [("long", cut), ("chain", joined)] {
        let output = weft(
            path,
            &format!("fit {name}.ogg -o {name}.weft --fit-steps 2"),
        );
        let remarked = stderr(&output);
        assert!(
            output.status.success() && remarked.contains(expected),
            "{remarked}"
        );
        assert!(remarked.starts_with(&format!("weft: remark: {name}.ogg: ")));
        assert_eq!(remarked.lines().count(), 1, "{remarked}");
    }
}
