//! The command lines of `weft serve` and `weft devices`.

use clap::Args;
use weft_lab::DeviceChoice;

use super::effort::Device;

/// Make fits for a program that asks for them: the plugin starts this by itself
///
/// Requests are read from the standard input and answered on the standard output, in the
/// protocol of docs/protocol.md; it ends with its input. One fit is made at a time, and one on
/// each device: others of the same user wait for it in the order of asking (in a folder of
/// the user's own, or the one that WEFT_QUEUE names).
///
/// The plugin looks for `weft` beside itself, and uses it where it has a graphics processor.
/// WEFT_WORKER names another command line, such as `ssh gpubox weft serve`.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  WEFT_WORKER='ssh gpubox weft serve' bitwig-studio
  WEFT_WORKER='weft serve --device cpu' ardour"
)]
pub struct ServeArguments {
    /// Where to fit: auto, cpu, cuda or metal
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t = Device::Auto, hide_possible_values = true)]
    device: Device,
}

impl ServeArguments {
    pub fn device(&self) -> DeviceChoice {
        self.device.into()
    }
}

/// List what fits can be made on, how fast each is, and which one is chosen
///
/// Each line names a device and how many of the first steps of a fit it makes in a second,
/// measured on four seconds of synthesized rain, or why it can't be used.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft devices
  weft devices --json"
)]
pub struct DevicesArguments {}
