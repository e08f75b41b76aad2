//! System calls that a thread makes, counted by having the kernel hand them back to the thread
//! (syscall user dispatch, Linux 5.11).

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::Once;
use std::sync::atomic::{AtomicU8, Ordering};

/// Values of the selector, and arguments of `prctl`, from `linux/prctl.h`.
const ALLOW: u8 = 0;
const BLOCK: u8 = 1;
const PR_SET_SYSCALL_USER_DISPATCH: libc::c_int = 59;
const PR_SYS_DISPATCH_OFF: libc::c_ulong = 0;
const PR_SYS_DISPATCH_ON: libc::c_ulong = 1;
const SYSCALL_INSTRUCTION_BYTES: i64 = 2;

thread_local! {
    /// Read by the kernel at every system call of the thread.
    static SELECTOR: AtomicU8 = const { AtomicU8::new(ALLOW) };
    /// Number of the call that was caught, and how many there were.
    static CAUGHT: UnsafeCell<(i64, usize)> = const { UnsafeCell::new((0, 0)) };
}

/// Lets the call through after all, having noted it; the rest of the work goes unwatched.
extern "C" fn note_call(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    SELECTOR.with(|s| s.store(ALLOW, Ordering::SeqCst));
    // SAFETY: the kernel hands over the context of the thread that made the call, which is this one; the
    // registers are as they were before it, but for the instruction pointer, which goes back to it.
    // Nobody else has the thread's counters.
    unsafe {
        let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        registers[libc::REG_RIP as usize] -= SYSCALL_INSTRUCTION_BYTES;
        CAUGHT.with(|caught| {
            let (number, count) = &mut *caught.get();
            *number = registers[libc::REG_RAX as usize];
            *count += 1;
        });
    }
}

/// What watches the system calls of one thread, for as long as it lives there.
pub struct Watch {
    _stays_on_its_thread: std::marker::PhantomData<*const ()>,
}

impl Watch {
    /// `None` where the kernel can't.
    pub fn new() -> Option<Self> {
        static HANDLER: Once = Once::new();
        HANDLER.call_once(|| {
            // SAFETY: the handler only touches memory of the thread that is interrupted, and allocates
            // nothing; zeroes are an empty mask and no flags.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = note_call as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO;
                libc::sigaction(libc::SIGSYS, &action, std::ptr::null_mut());
            }
        });
        let selector = SELECTOR.with(AtomicU8::as_ptr);
        // SAFETY: the selector lives as long as the thread, and the dispatch ends with the watch, which
        // can't leave the thread.
        let result = unsafe {
            libc::prctl(
                PR_SET_SYSCALL_USER_DISPATCH,
                PR_SYS_DISPATCH_ON,
                0 as libc::c_ulong,
                0 as libc::c_ulong,
                selector,
            )
        };
        (result == 0).then_some(Self {
            _stays_on_its_thread: std::marker::PhantomData,
        })
    }

    /// Number of the first system call that `work` makes, if it makes one.
    pub fn first_call<T>(&self, work: impl FnOnce() -> T) -> (T, Option<i64>) {
        // SAFETY: nobody else has the thread's counters.
        let caught = || CAUGHT.with(|caught| unsafe { *caught.get() });
        let before = caught().1;
        SELECTOR.with(|s| s.store(BLOCK, Ordering::SeqCst));
        let result = work();
        SELECTOR.with(|s| s.store(ALLOW, Ordering::SeqCst));
        let (number, count) = caught();
        (result, (count > before).then_some(number))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: ends what `new` began, on the same thread.
        unsafe {
            libc::prctl(
                PR_SET_SYSCALL_USER_DISPATCH,
                PR_SYS_DISPATCH_OFF,
                0 as libc::c_ulong,
                0 as libc::c_ulong,
                0 as libc::c_ulong,
            );
        }
    }
}
