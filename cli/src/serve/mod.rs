//! `weft serve`'s parts: what it fits on, how requests come in, how it takes its turn, and the fit itself.

mod device;
mod fit;
mod input;
mod queue;

use std::io::{self, IsTerminal, Write};

use weft_core::fit::protocol::{Message, Reply};
use weft_lab::DeviceChoice;

pub use device::{Served, open};

use crate::error::CliError;
use fit::make;
use input::{Input, Order};
use queue::Queue;

/// Makes the fits that are asked for on the standard input until that ends. Nothing but the protocol goes to the
/// standard output.
pub fn serve(choice: DeviceChoice) -> Result<(), CliError> {
    let mut output = io::stdout().lock();
    if output.is_terminal() {
        return Err(CliError::Usage(
            "weft serve speaks to programs: name it in WEFT_WORKER, or start the plugin".into(),
        ));
    }
    let served = open(choice)?;
    say(
        &mut output,
        &Reply::Hello {
            kind: served.kind,
            device: served.name.clone(),
        },
    )?;
    // Without a place for it, nobody is waited for.
    let queue = Queue::of_user(&served.name);
    let input = Input::listen().map_err(CliError::StandardInput)?;
    loop {
        match input.next() {
            Order::Fit { fit, request } => {
                make(fit, &request, &served, queue.as_ref(), &input, &mut output)?;
            }
            Order::Foreign(error) => {
                let reason = error.to_string();
                say(&mut output, &Reply::Failed { fit: 0, reason })?;
                return Err(CliError::Request(error));
            }
            Order::End => return Ok(()),
        }
    }
}

/// Says something, at once.
fn say(output: &mut dyn Write, reply: &Reply) -> Result<(), CliError> {
    let written = output.write_all(&reply.to_bytes());
    written
        .and_then(|()| output.flush())
        .map_err(CliError::StandardOutput)
}
