//! Elementwise loops compiled for the processor that they run on.

use std::sync::OnceLock;

use pulp::{Arch, NullaryFnOnce};

/// Runs `op` with the widest vector instructions of this processor. Only what is inlined into `op`
/// profits: simple loops without calls.
#[inline]
pub(crate) fn dispatch<R>(op: impl FnOnce() -> R) -> R {
    struct Op<F>(F);

    impl<R, F: FnOnce() -> R> NullaryFnOnce for Op<F> {
        type Output = R;

        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }

    static ARCH: OnceLock<Arch> = OnceLock::new();
    ARCH.get_or_init(Arch::new).dispatch(Op(op))
}
