//! Flush-to-zero and denormals-are-zero for the length of a `process` call.
//!
//! Decaying tails run into subnormal numbers, on which x86 cores are a hundred times slower.
//! nice-plug can set flush-to-zero only; recursive filters also need denormal *inputs* taken as zero.

use std::marker::PhantomData;

/// While it lives, this thread's floating-point unit treats subnormal numbers as zero. On
/// architectures without such a mode it does nothing.
pub struct DenormalGuard {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    previous: control::Word,
    /// The mode belongs to this thread.
    _not_send: PhantomData<*const ()>,
}

impl DenormalGuard {
    /// Switches the mode on until the guard is dropped.
    pub fn new() -> Self {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        {
            let previous = control::read();
            control::write(previous | control::FLUSH_DENORMALS);
            Self {
                previous,
                _not_send: PhantomData,
            }
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        Self {
            _not_send: PhantomData,
        }
    }
}

impl Drop for DenormalGuard {
    fn drop(&mut self) {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        control::write(self.previous);
    }
}

#[cfg(target_arch = "x86_64")]
mod control {
    use std::arch::asm;

    pub type Word = u32;

    /// FTZ (bit 15) and DAZ (bit 6) of MXCSR: Intel SDM volume 1, section 10.2.3.
    pub const FLUSH_DENORMALS: Word = 1 << 15 | 1 << 6;

    pub fn read() -> Word {
        let mut word: Word = 0;
        // SAFETY: `stmxcsr` stores 32 bits to the address it is given, which is a live local.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack, preserves_flags)) };
        word
    }

    pub fn write(word: Word) {
        // SAFETY: `ldmxcsr` reads 32 bits from a live local. The word is one that `read` gave, with
        // no exception unmasked and no reserved bit set, so no fault can follow.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &word, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod control {
    use std::arch::asm;

    pub type Word = u64;

    /// FZ (bit 24) of FPCR, inputs and outputs alike: Arm ARM, section C5.2.8.
    pub const FLUSH_DENORMALS: Word = 1 << 24;

    pub fn read() -> Word {
        let word: Word;
        // SAFETY: reading FPCR is allowed at every privilege level and has no side effect.
        unsafe { asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack, preserves_flags)) };
        word
    }

    pub fn write(word: Word) {
        // SAFETY: the word is one that `read` gave with FZ set or restored; writing FPCR is allowed
        // at every privilege level.
        unsafe { asm!("msr fpcr, {}", in(reg) word, options(nomem, nostack, preserves_flags)) };
    }
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn subnormal_numbers_are_zero_under_the_guard_only() {
        let subnormal = black_box(f32::MIN_POSITIVE / 4.0);
        let guard = DenormalGuard::new();
        assert_eq!(black_box(subnormal) * black_box(1024.0), 0.0);
        drop(guard);
        assert!(black_box(subnormal) * black_box(1024.0) > 0.0);
    }
}
