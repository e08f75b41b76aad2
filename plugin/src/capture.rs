//! What Weft listens to: the sum of its input buses, and the triggers that start a recording or an imprint. For the
//! audio thread, but for what says that it allocates.

/// The input buses mixed to one stereo signal, in buffers made before audio starts.
///
/// nice-plug hands the main input over *in the output buffer*, so it has to be taken from there
/// before anything is rendered; nothing of it may remain in the output.
#[derive(Default)]
pub struct CaptureInput {
    channels: [Vec<f32>; 2],
}

impl CaptureInput {
    /// Makes room for blocks of `max_block_size` frames. Allocates.
    pub fn prepare(&mut self, max_block_size: usize) {
        for channel in &mut self.channels {
            channel.clear();
            channel.resize(max_block_size, 0.0);
        }
    }

    /// Frames that fit into one block.
    pub fn max_block_size(&self) -> usize {
        self.channels[0].len()
    }

    /// Starts a new block of `frames` silent frames. Real-time safe.
    pub fn clear(&mut self, frames: usize) {
        for channel in &mut self.channels {
            channel[..frames].fill(0.0);
        }
    }

    /// Adds one bus, frames `start..start + frames` of it; a mono bus goes to both sides, further
    /// channels are left out. Channels that are shorter than that are not connected, and silent.
    pub fn add_bus(&mut self, bus: &[&mut [f32]], start: usize, frames: usize) {
        let right = if bus.len() > 1 { 1 } else { 0 };
        for (channel, index) in self.channels.iter_mut().zip([0, right]) {
            let Some(source) = bus.get(index).and_then(|c| c.get(start..start + frames)) else {
                continue;
            };
            for (sum, sample) in channel.iter_mut().zip(source) {
                *sum += sample;
            }
        }
    }

    /// Frames `start..end` of the block, left and right.
    pub fn slice(&self, start: usize, end: usize) -> [&[f32]; 2] {
        [&self.channels[0][start..end], &self.channels[1][start..end]]
    }
}

/// Turns the level of a parameter into an event: off to on.
#[derive(Debug, Default)]
pub struct Trigger {
    was_on: bool,
}

impl Trigger {
    /// Whether the parameter has gone from off to on since the last call.
    pub fn rises(&mut self, on: bool) -> bool {
        let rises = on && !self.was_on;
        self.was_on = on;
        rises
    }
}

/// The triggers of a recording, and of an imprint.
#[derive(Debug, Default)]
pub struct CaptureTriggers {
    /// Starts a recording.
    pub capture: Trigger,
    /// Keeps the input of the last seconds.
    pub grab: Trigger,
    /// Begins an imprint.
    pub imprint: Trigger,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buses_are_summed_and_mono_goes_to_both_sides() {
        let mut input = CaptureInput::default();
        input.prepare(4);
        let (mut left, mut right) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        let mut mono = [0.5; 4];
        input.clear(2);
        input.add_bus(&[&mut left, &mut right], 1, 2);
        input.add_bus(&[&mut mono], 0, 2);
        assert_eq!(input.slice(0, 2), [&[2.5, 3.5][..], &[6.5, 7.5][..]]);
    }

    #[test]
    fn an_unconnected_bus_is_silence() {
        let mut input = CaptureInput::default();
        input.prepare(4);
        input.clear(4);
        input.add_bus(&[], 0, 4);
        input.add_bus(&[&mut [], &mut []], 0, 4);
        assert_eq!(input.slice(0, 4), [&[0.0; 4][..], &[0.0; 4][..]]);
    }

    #[test]
    fn the_trigger_fires_once_per_press() {
        let mut trigger = Trigger::default();
        let fired = [false, true, true, false, true].map(|on| trigger.rises(on));
        assert_eq!(fired, [false, true, false, false, true]);
    }
}
