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
}
