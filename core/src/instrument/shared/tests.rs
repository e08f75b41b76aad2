//! What goes between threads, on real ones. The files themselves have no tests: the model checks compile them once
//! more.

mod scope {
    use crate::instrument::shared::scope::*;

    /// A frame that holds its clock everywhere.
    fn frame(clock: u64) -> ScopeFrame {
        ScopeFrame {
            clock,
            bands: [clock as f32; SCOPE_BANDS],
            peak: [clock as f32; 2],
            rms: [clock as f32; 2],
        }
    }

    #[test]
    fn frames_arrive_whole_and_in_order_from_another_thread() {
        let (mut writer, mut reader) = scope(8);
        let watch = reader.watch();
        let audio = std::thread::spawn(move || {
            let mut sent = 0;
            for clock in 1..=20_000 {
                sent += u64::from(writer.push(&frame(clock)));
            }
            sent
        });
        let (mut came, mut last) = (0, 0);
        loop {
            // Read before the look at the ring: what came in between is seen the next time round.
            let is_over = audio.is_finished();
            while let Some(seen) = reader.next_frame() {
                assert!(seen.clock > last && seen == frame(seen.clock));
                (came, last) = (came + 1, seen.clock);
            }
            if is_over {
                break;
            }
            std::thread::yield_now();
        }
        assert_eq!(came, audio.join().unwrap());
        drop(watch);
    }

    #[test]
    fn nothing_is_written_while_nobody_watches() {
        let (mut writer, mut reader) = scope(4);
        assert!(!writer.is_watched() && !writer.push(&ScopeFrame::silent(1)));
        let (first, second) = (reader.watch(), reader.watch());
        drop(first);
        assert!(writer.is_watched() && writer.push(&frame(2)) && writer.push(&frame(3)));
        assert_eq!(reader.next_frame(), Some(frame(2)));
        drop(second);
        assert!(!writer.is_watched() && !writer.push(&frame(4)));
        // A window that opens later doesn't see the past.
        let _watch = reader.watch();
        assert_eq!(reader.next_frame(), None);
        assert!(writer.push(&frame(5)));
        assert_eq!(reader.next_frame(), Some(frame(5)));
    }

    #[test]
    fn a_full_ring_drops_what_comes_and_keeps_what_is_there() {
        let (mut writer, mut reader) = scope(2);
        let _watch = reader.watch();
        let sent = [1, 2, 3, 4].map(|clock| writer.push(&frame(clock)));
        assert_eq!(sent, [true, true, false, false]);
        assert_eq!(reader.next_frame(), Some(frame(1)));
        assert!(writer.push(&frame(5)));
        assert_eq!(reader.next_frame(), Some(frame(2)));
        assert_eq!(reader.next_frame(), Some(frame(5)));
        assert_eq!(reader.next_frame(), None);
        // The window may be gone before the instrument.
        drop(reader);
        assert!(writer.push(&frame(6)) && writer.push(&frame(7)) && !writer.push(&frame(8)));
    }
}

mod wake {
    use std::thread;
    use std::time::Duration;

    use crate::instrument::shared::wake::*;

    /// Nobody sleeps as long: a test that does has hung.
    const FOREVER: Duration = Duration::from_secs(3_600);

    #[test]
    fn who_was_woken_does_not_fall_asleep() {
        let (waker, sleeper) = bell();
        waker.wake();
        waker.clone().wake();
        assert!(sleeper.sleep(FOREVER));
        // Two rings are one.
        assert!(!sleeper.sleep(Duration::ZERO));
    }

    #[test]
    fn a_call_rings_once_and_only_when_it_is_answered() {
        let (waker, sleeper) = bell();
        let calls = waker.calls();
        assert_eq!(calls.answer(), Some(false));
        waker.call();
        waker.call();
        assert!(!sleeper.sleep(Duration::ZERO));
        assert_eq!(calls.answer(), Some(true));
        assert!(sleeper.sleep(FOREVER) && waker.rings() == 1);
        // Being at work is no reason to wake anybody.
        waker.stir();
        assert_eq!(calls.answer(), Some(true));
        assert_eq!(calls.answer(), Some(false));
        assert!(!sleeper.sleep(Duration::ZERO) && waker.rings() == 1);
        drop((waker, sleeper));
        assert_eq!(calls.answer(), None);
    }

    #[test]
    fn what_is_seen_after_a_sleep_is_all_that_was_rung_for() {
        const MESSAGES: u32 = 2_000;
        let (waker, sleeper) = bell();
        let (sender, messages) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            for message in 0..MESSAGES {
                sender.send(message).unwrap();
                waker.wake();
                if message % 64 == 0 {
                    // Lets the other one fall asleep now and then.
                    thread::sleep(Duration::from_micros(50));
                }
            }
        });
        let mut seen = 0;
        while seen < MESSAGES {
            sleeper.sleep(FOREVER);
            seen += messages.try_iter().count() as u32;
        }
        thread.join().unwrap();
    }
}

mod work {
    use std::sync::Arc;

    use crate::instrument::controls::Slot;
    use crate::instrument::shared::work::*;

    #[test]
    fn what_becomes_something_else_is_counted_until_it_is_dropped() {
        let work = Arc::new(Work::default());
        let command = work.begin().unwrap();
        assert!(work.has_commands() && !work.has_any_fits());
        let fit = command.into_fit(Slot::C);
        assert!(!work.has_commands() && work.has_any_fits());
        assert!(work.has_fits(Slot::C) && !work.has_fits(Slot::A) && !work.has_fits(Slot::D));
        let paced = work.begin().unwrap().into_paced_fit();
        drop(fit);
        assert!(work.is_any() && !work.has_commands() && !work.has_any_fits());
        let fit = paced.leave_pace(Slot::D);
        assert!(work.has_fits(Slot::D));
        drop(fit);
        assert!(!work.is_any());
    }

    #[test]
    fn more_commands_than_can_be_counted_are_refused_and_harm_no_other_count() {
        let work = Arc::new(Work::default());
        let commands: Vec<_> = (0..3 * COMMANDS).map_while(|_| work.begin()).collect();
        assert_eq!(commands.len() as u64, MOST_COMMANDS);
        assert!(!work.has_any_fits());
        drop(commands);
        assert!(!work.is_any());
        assert!(work.begin().is_some());
    }
}
