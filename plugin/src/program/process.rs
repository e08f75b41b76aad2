//! Another program, with all that it starts: it is ended and waited for with its owner, whatever it does.

use std::io;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use super::pipe::Pipe;
use super::sink::Sink;

/// A program that runs. Dropping it ends the program, and those that it started and that have stayed with it, and
/// leaves nothing of it behind.
pub struct Process {
    child: Child,
    /// Its number is no longer its own.
    is_gone: bool,
    /// What it says.
    pub output: Pipe<ChildStdout>,
    /// What it complains of.
    pub errors: Pipe<ChildStderr>,
}

impl Process {
    /// Starts a program with nothing to read, below the priority of this one.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::null());
        Self::start_prepared(command)
    }

    /// Starts a program as [`start`](Self::start) does, and what it reads: its input ends where that is dropped.
    ///
    /// # Errors
    /// What the system says.
    pub fn start_with_input(command: &mut Command) -> io::Result<(Self, Sink)> {
        command.stdin(Stdio::piped());
        let mut process = Self::start_prepared(command)?;
        let input = process.child.stdin.take();
        let input = input.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((process, Sink::new(input)?))
    }

    fn start_prepared(command: &mut Command) -> io::Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        system::prepare(command);
        let mut child = command.spawn()?;
        system::lower_priority(&child);
        let pipes = match (child.stdout.take(), child.stderr.take()) {
            (Some(output), Some(errors)) => {
                Pipe::new(output).and_then(|output| Ok((output, Pipe::new(errors)?)))
            }
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        };
        match pipes {
            Ok((output, errors)) => Ok(Self {
                child,
                is_gone: false,
                output,
                errors,
            }),
            Err(error) => {
                system::kill(&mut child);
                // It has been killed: there is nothing more that could be done.
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Whether it has ended by itself. What it started may still run.
    pub fn has_ended(&mut self) -> bool {
        match system::has_ended(&mut self.child) {
            Ok(has_ended) => has_ended,
            Err(_) => {
                // The host takes care of every program that ends, also of those that are not its own.
                self.is_gone = true;
                true
            }
        }
    }

    /// Ends it and all that it started. How it has ended, where that is known.
    pub fn end(&mut self) -> Option<ExitStatus> {
        if !self.is_gone {
            system::kill(&mut self.child);
        }
        self.is_gone = true;
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_gone {
            self.end();
        }
    }
}

#[cfg(unix)]
mod system {
    use std::mem::MaybeUninit;
    use std::os::unix::process::CommandExt;

    use super::*;

    /// How much a program is put behind, from 0 to 19: it works for minutes on all cores, beside somebody's audio.
    const NICENESS: libc::c_int = 10;

    /// Has it lead a group of its own, which can be ended as one, and which a terminal's signals do not reach.
    pub fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    fn group(child: &Child) -> libc::pid_t {
        // The system's own numbers are of that type.
        child.id() as libc::pid_t
    }

    pub fn lower_priority(child: &Child) {
        // SAFETY: the call takes numbers. The child has not been waited for: the group is its own. Where the system
        // refuses, it works at the priority that it has.
        unsafe { libc::setpriority(libc::PRIO_PGRP as _, child.id(), NICENESS) };
    }

    /// Ends the group of a child that has not been waited for: until then nobody else gets its number.
    pub fn kill(child: &mut Child) {
        // SAFETY: the call takes numbers, and the group is the child's own, by the contract above.
        unsafe { libc::kill(-group(child), libc::SIGKILL) };
    }

    /// Whether it has ended; it is not waited for, so that its group can still be ended.
    pub fn has_ended(child: &mut Child) -> io::Result<bool> {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: the call fills in the description, which is ours; all zeroes are a valid one, and mean that the
        // child goes on.
        unsafe {
            if libc::waitid(libc::P_PID, child.id(), info.as_mut_ptr(), options) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(info.assume_init().si_pid() != 0)
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::*;

    /// Without a console of its own, at a lower priority.
    #[cfg(windows)]
    pub fn prepare(command: &mut Command) {
        use std::os::windows::process::CommandExt;

        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        const BELOW_NORMAL_PRIORITY_CLASS: u32 = 0x0000_4000;
        command.creation_flags(CREATE_NO_WINDOW | BELOW_NORMAL_PRIORITY_CLASS);
    }

    #[cfg(not(windows))]
    pub fn prepare(_: &mut Command) {}

    pub fn lower_priority(_: &Child) {}

    pub fn kill(child: &mut Child) {
        // One that has ended can't be ended.
        let _ = child.kill();
    }

    pub fn has_ended(child: &mut Child) -> io::Result<bool> {
        Ok(child.try_wait()?.is_some())
    }
}
