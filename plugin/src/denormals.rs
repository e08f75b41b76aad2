//! Flush-to-zero and denormals-are-zero for the length of a `process` call. Audio thread.
//!
//! Subnormal numbers, below 1.2·10⁻³⁸, are what decaying levels run into; x86 cores take about a hundred
//! times as long for them. In this mode the processor takes them for zero, as operands and as results.
//! nice-plug leaves the mode alone unless it is built with a feature for it, and then sets half of it.
//!
//! # What is risked
//!
//! Rust's documentation of `_mm_setcsr` says that the compiler takes the mode to be off, that changing it
//! between two operations of Rust code is undefined behaviour, and that it may be changed within a block of
//! inline assembly that changes it back. [`flushed`] is such a block: no code of the caller can run in the
//! mode, or be moved into it or out of it. But what the block calls is Rust, compiled for the mode that is
//! off, so a gap to the letter of that rule remains: the compiler may work a subnormal result out itself, or
//! leave an operation out that would have flushed one. The consequence that can be shown is a number
//! below 1.2·10⁻³⁸ where zero was expected, or the other way round; nothing here relies on either.
//! Most hosts call `process` in this mode in any case, where nothing that we do could close the gap.
//!
//! # Why it is not left out
//!
//! Measured with the mode off: a note held at a sustain of zero, and the limiter after the end of a
//! sound, cost 1.4 and 1.6 times as much for as long as they last. Those two levels could be set to zero by
//! themselves. But a texture with digital silence in it gets other phases, and so another sound, where a
//! tilt or a cut makes its quiet bins smaller still: the squares of their magnitudes are subnormal.

use std::ffi::c_void;

/// Does `work` in the mode, on this thread. Where the architecture has no such mode, or none that is known
/// here, just does it. Real-time safe.
///
/// A panic in `work` ends the process: it can't unwind through the block of assembly.
pub fn flushed<T>(work: impl FnOnce() -> T) -> T {
    let mut job = Job {
        work: Some(work),
        result: None,
    };
    // SAFETY: `run` gets the job of its own type, which lives until the call is over and is used by nobody
    // else meanwhile.
    unsafe { mode::call(run_of(&job), (&raw mut job).cast()) };
    match job.result {
        Some(result) => result,
        None => unreachable!("the call does the work"),
    }
}

/// Work that is to be done once, and what has come of it.
struct Job<W, T> {
    work: Option<W>,
    result: Option<T>,
}

/// A function as C calls it, for the pointer that it gets.
type Run = unsafe extern "C" fn(*mut c_void);

/// The function that does jobs like `job`.
fn run_of<T, W: FnOnce() -> T>(_job: &Job<W, T>) -> Run {
    run::<T, W>
}

/// Does the job behind a pointer.
///
/// # Safety
/// `job` points to a `Job<W, T>` that nobody else uses.
unsafe extern "C" fn run<T, W: FnOnce() -> T>(job: *mut c_void) {
    // SAFETY: by the contract above.
    let job = unsafe { &mut *job.cast::<Job<W, T>>() };
    job.result = job.work.take().map(|work| work());
}

#[cfg(target_arch = "x86_64")]
mod mode {
    use std::arch::asm;
    use std::ffi::c_void;

    use super::Run;

    /// FTZ (bit 15) and DAZ (bit 6) of MXCSR: Intel SDM volume 1, section 10.2.3.
    const FLUSH_DENORMALS: u32 = 1 << 15 | 1 << 6;

    /// Bytes that a function may write above its return address: the register parameters' home space of
    /// Windows's calling convention.
    const HOME_SPACE: usize = if cfg!(windows) { 32 } else { 0 };

    /// Calls `run` with `job` in the mode.
    ///
    /// # Safety
    /// `run` may be called with `job`.
    pub unsafe fn call(run: Run, job: *mut c_void) {
        // MXCSR as it was, and as it is for the call.
        let mut words = [0u32; 2];
        // SAFETY: `words` is live and as large as what is stored and loaded. The word that is loaded first is
        // the one that was stored, with two mode bits set, so no exception is unmasked and no reserved bit is
        // set, and no fault can follow. At the end MXCSR is what it was at the beginning. `call` is allowed,
        // as nothing here says `nostack`: the stack is aligned, and there is no red zone; it is used for the
        // home space, and given back. R12 and R13 outlive calls in both conventions; all that doesn't is
        // clobbered. `run` does not unwind: it is `extern "C"`. It may be called with `job` by the contract
        // above.
        unsafe {
            asm!(
                "stmxcsr [r12]",
                "mov eax, [r12]",
                "or eax, {flush}",
                "mov [r12 + 4], eax",
                "ldmxcsr [r12 + 4]",
                "sub rsp, {home}",
                "call r13",
                "add rsp, {home}",
                "ldmxcsr [r12]",
                flush = const FLUSH_DENORMALS,
                home = const HOME_SPACE,
                in("r12") words.as_mut_ptr(),
                in("r13") run,
                // The first argument, in either convention.
                inout("rdi") job => _,
                inout("rcx") job => _,
                clobber_abi("C"),
            );
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod mode {
    use std::arch::asm;
    use std::ffi::c_void;

    use super::Run;

    /// FZ (bit 24) of FPCR, operands and results alike: Arm ARM, section C5.2.8.
    const FLUSH_DENORMALS: u64 = 1 << 24;

    /// Calls `run` with `job` in the mode.
    ///
    /// # Safety
    /// `run` may be called with `job`.
    pub unsafe fn call(run: Run, job: *mut c_void) {
        // SAFETY: FPCR may be read and written at every privilege level, and is what it was at the end. `blr`
        // is allowed, as nothing here says `nostack`: the stack is aligned. X20 and X21 outlive calls; all
        // that doesn't is clobbered, the link register among it. `run` does not unwind: it is `extern "C"`. It
        // may be called with `job` by the contract above.
        unsafe {
            asm!(
                "mrs x20, fpcr",
                "orr x9, x20, {flush}",
                "msr fpcr, x9",
                "blr x21",
                "msr fpcr, x20",
                flush = const FLUSH_DENORMALS,
                out("x20") _,
                in("x21") run,
                inout("x0") job => _,
                clobber_abi("C"),
            );
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mode {
    use std::ffi::c_void;

    use super::Run;

    /// Calls `run` with `job`.
    ///
    /// # Safety
    /// `run` may be called with `job`.
    pub unsafe fn call(run: Run, job: *mut c_void) {
        // SAFETY: by the contract above.
        unsafe { run(job) }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::panic::catch_unwind;

    use super::*;

    /// 1024 times a subnormal number, worked out by the processor.
    fn scaled_subnormal() -> f32 {
        black_box(f32::MIN_POSITIVE / 4.0) * black_box(1024.0)
    }

    #[test]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn subnormal_numbers_are_zero_during_the_work_only() {
        assert!(scaled_subnormal() > 0.0);
        assert_eq!(flushed(scaled_subnormal), 0.0);
        assert!(scaled_subnormal() > 0.0);
    }

    #[test]
    fn work_gets_and_gives_what_it_needs() {
        let text = String::from("a value that is moved in, ");
        let mut calls = 0;
        let result = flushed(|| {
            calls += 1;
            text + "and one that is moved out"
        });
        assert_eq!(calls, 1);
        assert!(result.ends_with("moved out"));
        // On a stack that other functions use meanwhile.
        let nested = flushed(|| flushed(|| format!("{:?}", [1.5f64; 64])));
        assert_eq!(nested.matches("1.5").count(), 64);
    }

    #[test]
    fn a_panic_that_the_work_catches_leaves_the_mode_off() {
        let caught = flushed(|| catch_unwind(|| -> u32 { panic!("on purpose") }));
        assert!(caught.is_err());
        assert!(scaled_subnormal() > 0.0);
    }
}
