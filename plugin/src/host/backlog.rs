//! Events that are kept for a later moment, within a room that is never enlarged. Audio thread.

use crate::channel_messages::{CHANNELS, ChannelMessage};

/// Events that are kept, at most.
pub const CAPACITY: usize = 4096;

/// An event that can be kept.
pub trait Carried: Copy {
    /// The event by which a message to a channel comes, at the beginning of a block.
    fn of_message(message: ChannelMessage) -> Option<Self>;

    /// Whether nothing is left of `earlier` where this comes at the same moment.
    fn replaces(&self, earlier: &Self) -> bool;

    /// Whether it is the place of something that moves all notes of a channel, also those to come.
    fn is_place(&self) -> bool;
}

/// Keeps `event` as the last one. What it replaces is gone: so of what moves there is one place each.
pub fn replace<E: Carried>(kept: &mut Vec<E>, event: E) {
    if let Some(at) = last_replaced(kept, &event) {
        kept.remove(at);
    }
    push(kept, event);
}

/// Lets go of what is replaced by something after it.
pub fn thin<E: Carried>(kept: &mut Vec<E>) {
    let mut left = 0;
    for at in 0..kept.len() {
        let event = kept[at];
        let moves = event.replaces(&event);
        if moves && kept[at + 1..].iter().any(|later| later.replaces(&event)) {
            continue;
        }
        kept[left] = event;
        left += 1;
    }
    kept.truncate(left);
}

/// Where the last of those stands that `event` replaces. What would not replace itself replaces nothing.
fn last_replaced<E: Carried>(kept: &[E], event: &E) -> Option<usize> {
    let moves = event.replaces(event);
    moves.then(|| kept.iter().rposition(|earlier| event.replaces(earlier)))?
}

/// Keeps `event` as the last one, with all that came before it while there is room. Then of what moves only the last
/// places stay, and if that is not enough, all notes end with what was kept.
pub fn push<E: Carried>(kept: &mut Vec<E>, event: E) {
    if kept.len() >= CAPACITY {
        thin(kept);
    }
    if kept.len() >= CAPACITY {
        end_all(kept);
    }
    kept.push(event);
}

/// Leaves of what is kept the end of everything, and after it the places of what moves, of which there is one each.
/// Nothing is allocated: both together are far fewer.
fn end_all<E: Carried>(kept: &mut Vec<E>) {
    kept.retain(Carried::is_place);
    let places = kept.len();
    let ends = (0..CHANNELS).flat_map(ChannelMessage::ends_of_everything);
    kept.extend(ends.filter_map(E::of_message));
    kept.rotate_left(places);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place of one of a few things that move, or something that ends or begins notes.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Event {
        Place(u8, usize),
        Note(usize),
        Message(ChannelMessage),
    }

    impl Carried for Event {
        fn of_message(message: ChannelMessage) -> Option<Self> {
            Some(Self::Message(message))
        }

        fn replaces(&self, earlier: &Self) -> bool {
            match (self, earlier) {
                (Self::Place(what, _), Self::Place(of, _)) => what == of,
                _ => false,
            }
        }

        fn is_place(&self) -> bool {
            matches!(self, Self::Place(..))
        }
    }

    use Event::{Message, Note, Place};

    #[test]
    fn of_what_moves_the_last_place_is_left_where_it_came() {
        let sent = [
            Place(1, 0),
            Note(0),
            Place(2, 0),
            Place(1, 1),
            Note(1),
            Place(2, 1),
        ];
        let expected = [Note(0), Place(1, 1), Note(1), Place(2, 1)];
        let mut kept = Vec::new();
        sent.into_iter().for_each(|event| replace(&mut kept, event));
        assert_eq!(kept, expected);
        let mut kept = Vec::new();
        sent.into_iter().for_each(|event| push(&mut kept, event));
        assert_eq!(kept, sent);
        thin(&mut kept);
        assert_eq!(kept, expected);
    }

    #[test]
    fn any_number_of_places_have_room_and_end_no_note() {
        let mut kept = Vec::with_capacity(CAPACITY);
        push(&mut kept, Note(7));
        for at in 0..3 * CAPACITY {
            push(&mut kept, Place((at % 80) as u8, at));
        }
        assert_eq!(kept.capacity(), CAPACITY);
        assert_eq!(kept[0], Note(7));
        for what in 0..80 {
            let last = kept
                .iter()
                .rev()
                .find(|e| matches!(e, Place(w, _) if *w == what));
            let is_newest = matches!(last, Some(Place(_, at)) if *at >= 3 * CAPACITY - 80);
            assert!(is_newest, "{what} {last:?}");
        }
    }

    #[test]
    fn too_many_notes_become_the_end_of_all_and_places_stay() {
        let mut kept = Vec::with_capacity(CAPACITY);
        for at in 0..80 {
            push(&mut kept, Place(at, usize::from(at)));
        }
        let count = CAPACITY - kept.len() + 1;
        (0..count).for_each(|at| push(&mut kept, Note(at)));
        assert_eq!(kept.capacity(), CAPACITY);
        let ends = 5 * usize::from(CHANNELS);
        assert!(kept[..ends].iter().all(|event| matches!(event, Message(_))));
        let places: Vec<_> = (0..80).map(|at| Place(at, usize::from(at))).collect();
        assert_eq!(kept[ends..ends + 80], places);
        assert_eq!(kept[ends + 80..], [Note(count - 1)]);
    }
}
