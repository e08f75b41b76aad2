//! A host's stream that a state is saved to. It may take a part at a time. Main thread.

use std::ffi::c_void;

use clap_sys::stream::clap_ostream;

/// A stream that adds what is written to `bytes`; good for as long as they stay borrowed.
pub fn into_memory(bytes: &mut Vec<u8>) -> clap_ostream {
    unsafe extern "C" fn write(
        stream: *const clap_ostream,
        buffer: *const c_void,
        size: u64,
    ) -> i64 {
        // SAFETY: the stream is that of `into_memory`, and the buffer holds what its owner hands over.
        unsafe {
            let bytes = &mut *(*stream).ctx.cast::<Vec<u8>>();
            bytes.extend_from_slice(std::slice::from_raw_parts(buffer.cast(), size as usize));
        }
        size as i64
    }
    clap_ostream {
        ctx: std::ptr::from_mut(bytes).cast(),
        write: Some(write),
    }
}

/// Gives `stream` all of `bytes`; whether it has taken them.
///
/// # Safety
/// `stream` is a host's, valid for this call.
pub unsafe fn write_all(stream: *const clap_ostream, mut bytes: &[u8]) -> bool {
    // SAFETY: by the contract above.
    let Some(write) = (unsafe { (*stream).write }) else {
        return false;
    };
    while !bytes.is_empty() {
        // SAFETY: the bytes live during this call.
        let taken = unsafe { write(stream, bytes.as_ptr().cast(), bytes.len() as u64) };
        match usize::try_from(taken) {
            Ok(taken @ 1..) => bytes = &bytes[taken.min(bytes.len())..],
            _ => return false,
        }
    }
    true
}
