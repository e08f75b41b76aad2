//! States as nobody would write them, in the built CLAP: they do no harm, and what is saved next can be read.

mod common;
#[path = "../../core/tests/support/mutations.rs"]
mod mutations;
#[allow(dead_code, reason = "only damage is drawn here")]
#[path = "../../core/tests/support/random.rs"]
mod random;

use std::time::Instant;

use serde_json::json;
use weft_hosts::clap::RenderMode;

use common::driving::{BLOCK_SIZE, bounce, set};
use common::two_slots::{active, fitted_state};
use mutations::mutate;
use random::Random;

/// The JSON of a state, and what comes before it: its length.
fn read_json(state: &[u8]) -> (serde_json::Value, usize) {
    let begin = state.iter().position(|&byte| byte == b'{').unwrap();
    (serde_json::from_slice(&state[begin..]).unwrap(), begin)
}

#[test]
fn values_that_can_not_be_do_not_spoil_the_state_that_is_saved_next() {
    let mut plugin = active(RenderMode::Offline);
    let state = plugin.save_state().unwrap();
    let (json, begin) = read_json(&state);
    assert_eq!(begin, size_of::<u64>());
    let names: Vec<String> = json["params"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert!(names.len() > 30);
    for name in names {
        let numbers = [1e308, -1e308, 1e30, -1e30, f64::from(f32::MAX)];
        let floats = numbers.map(|number| json!({ "f32": number }));
        let integers = [60, -1, i32::MAX, i32::MIN].map(|number| json!({ "i32": number }));
        let others = [json!({ "string": "60" }), json!({ "bool": true })];
        for value in floats.into_iter().chain(integers).chain(others) {
            let mut json = json.clone();
            json["params"][&name] = value.clone();
            let text = json.to_string();
            let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
            bytes.extend(text.as_bytes());
            // It may be refused.
            let taken = plugin.load_state(&bytes).is_ok();
            bounce(&mut plugin, BLOCK_SIZE);
            let saved = plugin.save_state().unwrap();
            assert!(
                plugin.load_state(&saved).is_ok(),
                "{name} of {value}, taken: {taken}"
            );
        }
    }
}

/// `WEFT_FUZZ_S=600` makes it longer.
#[test]
fn states_of_any_bytes_do_no_harm() {
    let seconds = std::env::var("WEFT_FUZZ_S").ok();
    let seconds = seconds.and_then(|s| s.parse().ok()).unwrap_or(3.0);
    let whole = fitted_state().to_vec();
    // Without its textures, a state is small, and every part of it is hit more often.
    let small = active(RenderMode::Offline).save_state().unwrap();
    let corpus = [whole.clone(), small];
    let mut plugin = active(RenderMode::Offline);
    let mut random = Random::new(0x5eed);
    let (mut tried, mut taken) = (0, 0);
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < seconds {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        for _ in 0..1 + random.below(4) {
            mutate(&mut bytes, &corpus, &mut random);
        }
        taken += usize::from(plugin.load_state(&bytes).is_ok());
        tried += 1;
        if random.below(16) == 0 {
            let sound = bounce(&mut plugin, BLOCK_SIZE);
            assert!(sound.iter().flatten().all(|x| x.is_finite()));
            let saved = plugin.save_state().unwrap();
            assert!(
                plugin.load_state(&saved).is_ok(),
                "its own state is refused"
            );
        }
    }
    println!("{tried} states in {seconds} s, {taken} taken");
    plugin.load_state(&whole).unwrap();
    set(&mut plugin, &[("Gain", "0 dB"), ("Slot", "A")]);
    assert!(
        bounce(&mut plugin, BLOCK_SIZE)[0]
            .iter()
            .all(|x| x.is_finite())
    );
}
