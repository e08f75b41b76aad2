//! Instances of the built CLAP that come and go, in any phase of a fit and in any order.

mod common;

use std::path::PathBuf;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use weft_core::procedural::Texture;
use weft_hosts::Render;
use weft_hosts::clap::{ClapPlugin, RenderMode};

use common::driving::{BLOCK_SIZE, FIT_STEPS, SAMPLE_RATE, bounce, set};
use common::sound::{assert_silent, assert_sounds};
use common::two_slots::{activate, active, capture, fitted_state, recording};

/// Who counts threads must be alone in this process.
static COUNTING: RwLock<()> = RwLock::new(());

fn others_may_run() -> RwLockReadGuard<'static, ()> {
    COUNTING.read().unwrap_or_else(|e| e.into_inner())
}

fn alone() -> RwLockWriteGuard<'static, ()> {
    COUNTING.write().unwrap_or_else(|e| e.into_inner())
}

/// Weft's threads in this process.
fn threads() -> usize {
    // Elsewhere than on Linux there is nothing that tells.
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let name = |path: PathBuf| std::fs::read_to_string(path.join("comm")).unwrap_or_default();
    tasks
        .flatten()
        .filter(|task| name(task.path()).starts_with("weft"))
        .count()
}

/// Weft's threads, when those that have ended are no longer listed.
fn settled_threads() -> usize {
    const LOOKS: usize = 100;
    let (mut known, mut same) = (threads(), 0);
    while same < LOOKS {
        std::thread::sleep(Duration::from_millis(5));
        let now = threads();
        same = if now == known { same + 1 } else { 0 };
        known = now;
    }
    known
}

/// As many as before are left after a removal; one that has been joined is still listed for a moment.
#[track_caller]
fn assert_threads(before: usize, removal: &str) {
    let deadline = Instant::now() + Duration::from_secs(2);
    while threads() != before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(threads(), before, "threads after a removal {removal}");
}

/// Brings a plugin into a phase of a fit.
type Reach<'a> = &'a dyn Fn(&mut ClapPlugin);

#[test]
fn it_can_be_removed_in_any_phase_of_a_fit() {
    let _alone = alone();
    let rain = recording(Texture::Rain, 1.5);
    // Threads name themselves as they begin. Those of an instance that has made a fit have begun; a bounce waits for it.
    let mut kept = active(RenderMode::Offline);
    set(&mut kept, &[("Fit Steps A", FIT_STEPS)]);
    capture(&mut kept, &rain, SAMPLE_RATE);
    bounce(&mut kept, SAMPLE_RATE as usize);
    activate(&mut kept, RenderMode::Realtime, SAMPLE_RATE);
    let before = settled_threads();
    let phases: [(&str, Reach); 5] = [
        ("before", &|_| {}),
        ("during the capture", &|plugin| {
            set(plugin, &[("Capture", "On")]);
        }),
        ("at its start", &|plugin| {
            capture(plugin, &rain, SAMPLE_RATE);
        }),
        ("while snapshots take over", &|plugin| {
            capture(plugin, &rain, SAMPLE_RATE);
            set(plugin, &[("Hold", "On")]);
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(700) {
                plugin.render(&Render::silent(BLOCK_SIZE).paced()).unwrap();
            }
        }),
        ("after", &|plugin| {
            activate(plugin, RenderMode::Offline, SAMPLE_RATE);
            set(plugin, &[("Fit Steps A", FIT_STEPS)]);
            capture(plugin, &rain, SAMPLE_RATE);
        }),
    ];
    for (name, reach) in phases {
        let mut plugin = active(RenderMode::Realtime);
        set(&mut plugin, &[("Fit Steps A", "5000"), ("Capture", "Off")]);
        reach(&mut plugin);
        drop(plugin);
        assert_threads(before, name);
    }
    drop(kept);
}

#[test]
fn instances_can_be_removed_in_either_order() {
    let _others = others_may_run();
    for first_goes_first in [true, false] {
        let mut pair: Vec<ClapPlugin> = (0..2)
            .map(|_| {
                let mut plugin = active(RenderMode::Offline);
                plugin.load_state(fitted_state()).unwrap();
                plugin
            })
            .collect();
        let removed = pair.remove(usize::from(!first_goes_first));
        drop(removed);
        assert_sounds(&bounce(&mut pair[0], SAMPLE_RATE as usize));
    }
}

#[test]
fn fifty_instances_come_and_go() {
    let _alone = alone();
    let before = threads();
    let mut instances: Vec<ClapPlugin> = (0..50)
        .map(|i| {
            let mut plugin = active(RenderMode::Offline);
            if i % 3 == 0 {
                plugin.load_state(fitted_state()).unwrap();
            }
            plugin
        })
        .collect();
    for (i, plugin) in instances.iter_mut().enumerate() {
        let sound = bounce(plugin, 9_600);
        if i % 3 == 0 {
            assert_sounds(&sound);
        } else {
            assert_silent(&sound);
        }
    }
    // Every other one first.
    let mut at = 0;
    instances.retain(|_| {
        at += 1;
        at % 2 == 0
    });
    drop(instances);
    assert_threads(before, "of fifty");
}
