//! Where a CLAP host's song is, in the form in which nice-plug counts on from it rightly. Audio thread.

use clap_sys::events::{
    CLAP_TRANSPORT_HAS_BEATS_TIMELINE, CLAP_TRANSPORT_HAS_SECONDS_TIMELINE,
    CLAP_TRANSPORT_HAS_TEMPO, CLAP_TRANSPORT_HAS_TIME_SIGNATURE, clap_event_transport,
};
use clap_sys::fixedpoint::{CLAP_BEATTIME_FACTOR, CLAP_SECTIME_FACTOR};

use crate::link::HostLink;

/// What nice-plug gets of the host's song position; the time signature goes to `link`.
pub fn song_position(event: &clap_event_transport, link: &HostLink) -> clap_event_transport {
    let signature = (f64::from(event.tsig_num), f64::from(event.tsig_denom));
    let known = event.flags & CLAP_TRANSPORT_HAS_TIME_SIGNATURE != 0;
    link.set_time_signature(known.then_some(signature));
    as_of_block_start(event, f64::from(link.sample_rate()))
}

/// The song's position at the beginning of the block in which `event` gives it, in the form in which
/// nice-plug counts on from it rightly. `sample_rate` in Hz.
fn as_of_block_start(event: &clap_event_transport, sample_rate: f64) -> clap_event_transport {
    let mut position = *event;
    position.flags &= !CLAP_TRANSPORT_HAS_TIME_SIGNATURE;
    if position.flags & CLAP_TRANSPORT_HAS_TEMPO == 0 {
        // No tempo to the player, and beats that don't move; but nice-plug counts the seconds.
        position.flags |= CLAP_TRANSPORT_HAS_TEMPO;
        position.tempo = 0.0;
    }
    if sample_rate > 0.0 {
        let seconds = f64::from(event.header.time) / sample_rate;
        let beats = seconds / 60.0 * position.tempo;
        if position.flags & CLAP_TRANSPORT_HAS_SECONDS_TIMELINE != 0 {
            position.song_pos_seconds -= (seconds * CLAP_SECTIME_FACTOR as f64).round() as i64;
        }
        if position.flags & CLAP_TRANSPORT_HAS_BEATS_TIMELINE != 0 {
            position.song_pos_beats -= (beats * CLAP_BEATTIME_FACTOR as f64).round() as i64;
        }
    }
    position
}

#[cfg(test)]
pub mod tests {
    use clap_sys::events::{CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT, clap_event_header};

    use super::*;

    /// A song position `seconds` into the song, said at sample `time`.
    pub fn transport(time: u32, seconds: i64) -> clap_event_transport {
        clap_event_transport {
            header: clap_event_header {
                size: 0,
                time,
                space_id: CLAP_CORE_EVENT_SPACE_ID,
                type_: CLAP_EVENT_TRANSPORT,
                flags: 0,
            },
            flags: CLAP_TRANSPORT_HAS_SECONDS_TIMELINE | CLAP_TRANSPORT_HAS_TIME_SIGNATURE,
            song_pos_beats: 0,
            song_pos_seconds: seconds * CLAP_SECTIME_FACTOR,
            tempo: 0.0,
            tempo_inc: 0.0,
            loop_start_beats: 0,
            loop_end_beats: 0,
            loop_start_seconds: 0,
            loop_end_seconds: 0,
            bar_start: 0,
            bar_number: 0,
            tsig_num: 4,
            tsig_denom: 4,
        }
    }

    #[test]
    fn a_position_told_within_a_block_is_counted_back_to_its_beginning() {
        let mut event = transport(24_000, 10);
        let position = as_of_block_start(&event, 48_000.0);
        assert_eq!(position.song_pos_seconds, 19 * CLAP_SECTIME_FACTOR / 2);
        assert_eq!(position.flags & CLAP_TRANSPORT_HAS_TIME_SIGNATURE, 0);
        assert_ne!(position.flags & CLAP_TRANSPORT_HAS_TEMPO, 0);
        assert_eq!(position.tempo, 0.0);
        event.flags |= CLAP_TRANSPORT_HAS_BEATS_TIMELINE | CLAP_TRANSPORT_HAS_TEMPO;
        event.song_pos_beats = 8 * CLAP_BEATTIME_FACTOR;
        event.tempo = 120.0;
        let position = as_of_block_start(&event, 48_000.0);
        assert_eq!(position.song_pos_beats, 7 * CLAP_BEATTIME_FACTOR);
        assert_eq!(position.tempo, 120.0);
    }

    #[test]
    fn the_time_signature_goes_its_own_way() {
        let link = HostLink::default();
        assert_eq!(link.beats_per_bar(), None);
        let mut event = transport(0, 0);
        (event.tsig_num, event.tsig_denom) = (7, 8);
        song_position(&event, &link);
        assert_eq!(link.beats_per_bar(), Some(3.5));
        event.tsig_denom = 0;
        song_position(&event, &link);
        assert_eq!(link.beats_per_bar(), None);
    }
}
