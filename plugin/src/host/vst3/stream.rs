//! A host's streams, which may give and take a part at a time; nice-plug asks for everything at once. Main
//! thread.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use nice_plug::wrapper::vst3::vst3::Steinberg::IBStream_::IStreamSeekMode_::{
    kIBSeekCur, kIBSeekEnd, kIBSeekSet,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IBStream, IBStreamTrait, int32, int64, kInvalidArgument, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComRef};

/// Bytes that are asked for at once.
const PART: usize = 1 << 16;
/// More bytes than any state has; nice-plug reads no more in the other format.
const MOST_BYTES: usize = 1 << 28;

/// Everything that `stream` gives from where it stands; `None` if that is no state's length.
pub fn read_to_end(stream: ComRef<'_, IBStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let begin = bytes.len();
        bytes.resize(begin + PART, 0);
        let mut count = 0;
        // At the end hosts answer with this or that; how much there was is what counts.
        // SAFETY: there is room for as many bytes as are asked for.
        unsafe {
            stream.read(
                bytes[begin..].as_mut_ptr().cast(),
                PART as int32,
                &mut count,
            )
        };
        let count = usize::try_from(count).unwrap_or(0).min(PART);
        bytes.truncate(begin + count);
        if count == 0 {
            return Some(bytes);
        }
        if bytes.len() > MOST_BYTES {
            return None;
        }
    }
}

/// Gives `stream` all of `bytes`; whether it has taken them.
pub fn write_all(stream: ComRef<'_, IBStream>, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let length = bytes.len().min(int32::MAX as usize);
        // Some hosts don't say how many they take: all of them, if nothing is wrong.
        let mut count = -1;
        // SAFETY: the bytes live during this call, and a stream only reads them.
        let result = unsafe {
            let bytes = bytes.as_ptr().cast_mut().cast();
            stream.write(bytes, length as int32, &mut count)
        };
        let taken = match usize::try_from(count) {
            Ok(count) => count.min(length),
            Err(_) if result == kResultOk => length,
            Err(_) => 0,
        };
        if taken == 0 {
            return false;
        }
        bytes = &bytes[taken..];
    }
    true
}

/// A stream in memory, which gives and takes everything at once.
#[derive(Default)]
pub struct MemoryStream(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    bytes: Vec<u8>,
    /// Bytes before the place where it stands.
    at: usize,
}

impl Class for MemoryStream {
    type Interfaces = (IBStream,);
}

impl MemoryStream {
    /// A stream that stands before `bytes`.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Mutex::new(Contents { bytes, at: 0 }))
    }

    /// Everything in it.
    pub fn take(&self) -> Vec<u8> {
        self.with(|contents| std::mem::take(&mut contents.bytes))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Contents) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl IBStreamTrait for MemoryStream {
    unsafe fn read(&self, buffer: *mut c_void, count: int32, read: *mut int32) -> tresult {
        let Ok(count) = usize::try_from(count) else {
            return kInvalidArgument;
        };
        self.with(|contents| {
            let left = contents.bytes.get(contents.at..).unwrap_or_default();
            let count = count.min(left.len());
            // SAFETY: the caller's buffer has room for what it asks for, and nothing else refers to it.
            unsafe { ptr::copy_nonoverlapping(left.as_ptr(), buffer.cast(), count) };
            contents.at += count;
            if !read.is_null() {
                // SAFETY: the caller's pointer, not null.
                unsafe { read.write(count as int32) };
            }
            kResultOk
        })
    }

    unsafe fn write(&self, buffer: *mut c_void, count: int32, written: *mut int32) -> tresult {
        let Ok(length) = usize::try_from(count) else {
            return kInvalidArgument;
        };
        // SAFETY: the caller's buffer holds what it hands over.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast_const().cast::<u8>(), length) };
        self.with(|contents| {
            contents.bytes.truncate(contents.at);
            contents.bytes.extend_from_slice(bytes);
            contents.at = contents.bytes.len();
        });
        if !written.is_null() {
            // SAFETY: the caller's pointer, not null.
            unsafe { written.write(count) };
        }
        kResultOk
    }

    unsafe fn seek(&self, offset: int64, mode: int32, place: *mut int64) -> tresult {
        self.with(|contents| {
            // Their type is not the same on every system.
            let is = |known| i64::from(mode) == i64::from(known);
            let from = if is(kIBSeekSet) {
                0
            } else if is(kIBSeekCur) {
                contents.at
            } else if is(kIBSeekEnd) {
                contents.bytes.len()
            } else {
                return kInvalidArgument;
            };
            let at = (from as int64).checked_add(offset);
            let at = at.and_then(|at| usize::try_from(at).ok());
            let Some(at) = at.filter(|at| *at <= contents.bytes.len()) else {
                return kInvalidArgument;
            };
            contents.at = at;
            if !place.is_null() {
                // SAFETY: the caller's pointer, not null.
                unsafe { place.write(at as int64) };
            }
            kResultOk
        })
    }

    unsafe fn tell(&self, place: *mut int64) -> tresult {
        // SAFETY: as called.
        unsafe { self.seek(0, kIBSeekCur as int32, place) }
    }
}

#[cfg(test)]
pub mod tests {
    use nice_plug::wrapper::vst3::vst3::Steinberg::kResultFalse;
    use nice_plug::wrapper::vst3::vst3::{ComPtr, ComWrapper};

    use super::*;

    /// Bytes that a host's stream gives or takes at once.
    const BITE: i32 = 7;

    /// A host's stream that gives and takes a few bytes at a time, and can't tell its length.
    pub struct SlowStream(MemoryStream);

    impl Class for SlowStream {
        type Interfaces = (IBStream,);
    }

    impl IBStreamTrait for SlowStream {
        unsafe fn read(&self, buffer: *mut c_void, count: int32, read: *mut int32) -> tresult {
            // SAFETY: as called.
            unsafe {
                self.0.read(buffer, count.min(BITE), read);
                if *read == count {
                    kResultOk
                } else {
                    kResultFalse
                }
            }
        }

        unsafe fn write(&self, buffer: *mut c_void, count: int32, written: *mut int32) -> tresult {
            // SAFETY: as called.
            unsafe { self.0.write(buffer, count.min(BITE), written) }
        }

        unsafe fn seek(&self, _offset: int64, _mode: int32, _place: *mut int64) -> tresult {
            kResultFalse
        }

        unsafe fn tell(&self, _place: *mut int64) -> tresult {
            kResultFalse
        }
    }

    /// Such a stream that stands before `bytes`, as what it is and as a plugin gets it.
    pub fn slow(bytes: Vec<u8>) -> (ComWrapper<SlowStream>, ComPtr<IBStream>) {
        let stream = ComWrapper::new(SlowStream(MemoryStream::new(bytes)));
        let pointer = stream.to_com_ptr::<IBStream>().unwrap();
        (stream, pointer)
    }

    impl SlowStream {
        /// What was written to it.
        pub fn take(&self) -> Vec<u8> {
            self.0.take()
        }
    }

    #[test]
    fn a_stream_that_gives_and_takes_a_part_at_a_time_is_served_to_the_end() {
        let bytes: Vec<u8> = (0..1000).map(|i| (i % 251) as u8).collect();
        let (_slow, stream) = slow(bytes.clone());
        assert_eq!(read_to_end(stream.as_com_ref()), Some(bytes.clone()));
        let (taken, stream) = slow(Vec::new());
        assert!(write_all(stream.as_com_ref(), &bytes));
        assert_eq!(taken.take(), bytes);
    }
}
