//! Input buses as hosts hand them over. Audio thread.

/// Input buses of the plugin that has most: the main input and the capture input.
pub const MOST_INPUT_BUSES: usize = 2;

/// Whether an input bus has channels, and all of them lead somewhere: some hosts keep a bus that
/// nothing is routed to in the list, with null pointers in it.
///
/// # Safety
/// Unless null, `channels` points to `count` channel pointers.
pub unsafe fn is_connected(channels: *const *mut f32, count: usize) -> bool {
    if channels.is_null() || count == 0 {
        return false;
    }
    // SAFETY: by the contract above.
    unsafe { std::slice::from_raw_parts(channels, count) }
        .iter()
        .all(|channel| !channel.is_null())
}

/// Which of a bus's channels are silent, one bit for each of the first 64.
///
/// # Safety
/// `channels` points to `count` channel pointers, each to `frames` samples.
pub unsafe fn silent_channels(channels: *const *mut f32, count: usize, frames: usize) -> u64 {
    let count = count.min(u64::BITS as usize);
    // SAFETY: by the contract above.
    let channels = unsafe { std::slice::from_raw_parts(channels, count) };
    let mut silent = 0;
    for (index, channel) in channels.iter().enumerate() {
        // SAFETY: as above.
        let samples = unsafe { std::slice::from_raw_parts(*channel, frames) };
        silent |= u64::from(samples.iter().all(|x| *x == 0.0)) << index;
    }
    silent
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn a_bus_is_connected_where_all_of_its_channels_are() {
        let mut sample = 0.0f32;
        let channel = &raw mut sample;
        let half = [channel, ptr::null_mut()];
        // SAFETY: the arrays are as long as it says.
        unsafe {
            assert!(is_connected([channel; 2].as_ptr(), 2));
            assert!(!is_connected(half.as_ptr(), 2));
            assert!(is_connected(half.as_ptr(), 1));
            assert!(!is_connected(half.as_ptr(), 0));
            assert!(!is_connected(ptr::null(), 2));
        }
    }

    #[test]
    fn a_channel_is_silent_where_all_of_its_samples_are() {
        let (mut silence, mut click) = ([0.0f32, -0.0, 0.0], [0.0f32, 0.0, 1e-9]);
        let channels = [
            silence.as_mut_ptr(),
            click.as_mut_ptr(),
            silence.as_mut_ptr(),
        ];
        // SAFETY: the arrays are as long as it says.
        unsafe {
            assert_eq!(silent_channels(channels.as_ptr(), 3, 3), 0b101);
            assert_eq!(silent_channels(channels.as_ptr(), 3, 2), 0b111);
        }
    }
}
