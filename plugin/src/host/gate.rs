//! The gate for every call that comes into the library by way of C: from hosts, and from nice-plug.
//!
//! A panic that reaches a C function of ours ends the process, and the host with it. So the work of every
//! such function is done in here: a null pointer or a panic becomes the error value of the format, and a
//! panic becomes an error in the window. What nice-plug does behind C functions of its own is out of reach:
//! a panic there ends the process before it comes back to us. In VST3, its functions are Rust's, and the
//! gate holds for them too.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::session::Session;

/// What a call is for, and so how a panic in it may be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A call on the main thread; the text says what Weft is doing, as in "Internal error while …".
    Main(&'static str),
    /// A call on the audio thread, where nothing is allocated, freed or locked.
    Audio,
}

/// An object that hosts hold by a pointer.
pub trait Guarded {
    /// The session of its instance, by which panics are reported.
    fn session(&self) -> &Session;
}

/// Does `work` with the object behind a pointer from a host. `None`: there is none, or `work` has
/// panicked.
///
/// # Safety
/// `object` is null, or it came from us, has the type `A`, is not freed before this returns, and is
/// never borrowed mutably.
pub unsafe fn enter<A: Guarded, T>(
    object: *const A,
    call: Call,
    work: impl FnOnce(&A) -> T,
) -> Option<T> {
    // SAFETY: by the contract above.
    let object = unsafe { object.as_ref() }?;
    contain(Some(object.session()), call, || work(object))
}

/// Takes an object back that a host held, and does `work` with it. `None` as for [`enter`]. For the
/// main thread.
///
/// # Safety
/// `object` is null, or it came from `Box::into_raw` and is not used any more.
pub unsafe fn leave<A, T>(object: *mut A, work: impl FnOnce(Box<A>) -> T) -> Option<T> {
    if object.is_null() {
        return None;
    }
    // SAFETY: by the contract above.
    let object = unsafe { Box::from_raw(object) };
    contain(None, Call::Main("removing the plugin"), || work(object))
}

/// Does `work`; `None` if it panics, which is reported by `session`, if there is one yet, or still.
pub fn contain<T>(session: Option<&Session>, call: Call, work: impl FnOnce() -> T) -> Option<T> {
    // What a panic may leave half done are atomics, each of which is whole, and what mutexes hold, all
    // of which are taken over from a thread that has panicked, or refused.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            report(session, call, payload);
            None
        }
    }
}

/// Reports a panic with `payload`.
fn report(session: Option<&Session>, call: Call, payload: Box<dyn Any + Send>) {
    match call {
        Call::Audio => {
            // Silent until the next activation, after which there may be more panics. So the bytes that
            // are leaked here, as freeing them would call the allocator, are few.
            std::mem::forget(payload);
            if let Some(session) = session {
                session.set_audio_fault(true);
            }
        }
        Call::Main(doing) => {
            if let Some(session) = session {
                session.report_panic(doing, &*payload);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    struct Object(Session);

    impl Guarded for Object {
        fn session(&self) -> &Session {
            &self.0
        }
    }

    const CALL: Call = Call::Main("testing");

    #[test]
    fn a_null_pointer_is_no_object() {
        // SAFETY: the pointers are null.
        unsafe {
            assert_eq!(enter(ptr::null::<Object>(), CALL, |_| 1), None);
            assert_eq!(leave(ptr::null_mut::<Object>(), |_| 1), None);
        }
    }

    #[test]
    fn a_panic_on_the_main_thread_is_said_in_the_window() {
        let object = Object(Session::new().0);
        // SAFETY: the object lives.
        let result = unsafe { enter(&raw const object, CALL, |_| -> u32 { panic!("oh") }) };
        assert_eq!(result, None);
        let error = object.0.status().error.unwrap_or_default();
        assert!(error.contains("testing (oh)"), "{error}");
        assert!(!object.0.has_audio_fault());
    }

    #[test]
    fn a_panic_on_the_audio_thread_is_silence_until_the_next_activation() {
        let object = Object(Session::new().0);
        // SAFETY: the object lives.
        let result = unsafe { enter(&raw const object, Call::Audio, |_| -> u32 { panic!("oh") }) };
        assert_eq!(result, None);
        assert!(object.0.has_audio_fault());
        assert_eq!(object.0.status().error, None);
    }

    #[test]
    fn a_panic_while_an_object_is_removed_ends_there() {
        let object = Box::into_raw(Box::new(Object(Session::new().0)));
        // SAFETY: the object came from a box, and is not used any more.
        let result = unsafe { leave(object, |_| -> u32 { panic!("oh") }) };
        assert_eq!(result, None);
    }
}
