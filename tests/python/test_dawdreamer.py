"""The built VST3 in dawdreamer: a JUCE host with a sidechain, automation and state files."""

import os
import tempfile
import time
import unittest

import dawdreamer
import numpy as np

SAMPLE_RATE = 48_000
BLOCK_SIZE = 512
CAPTURE_S = 3.0
FIT_STEPS = 100
# A fit of 100 steps takes seconds; a machine that is busy with other things gets this long.
FIT_PATIENCE_S = 300.0


def rms_db(audio):
    return 20 * np.log10(np.sqrt(np.mean(np.square(audio, dtype=np.float64))) + 1e-20)


def rain(seconds, seed):
    """Noise bursts: stereo, float32, about -20 dBFS."""
    rng = np.random.default_rng(seed)
    frames = int(seconds * SAMPLE_RATE)
    audio = 0.05 * rng.standard_normal((2, frames))
    decay = np.exp(-np.arange(960) / 200.0)
    for start in rng.integers(0, frames - decay.size, size=int(60 * seconds)):
        burst = rng.standard_normal(decay.size) * decay
        audio[:, start : start + decay.size] += rng.uniform(0.1, 0.3, (2, 1)) * burst
    return np.clip(audio, -0.9, 0.9).astype(np.float32)


class Host:
    """One engine with one instance of Weft, and a player on its sidechain."""

    def __init__(self, sidechain):
        path = os.path.join(os.environ["WEFT_BUNDLE_DIR"], "Weft.vst3")
        self.engine = dawdreamer.RenderEngine(SAMPLE_RATE, BLOCK_SIZE)
        self.plugin = self.engine.make_plugin_processor("weft", path)
        self.index = {
            parameter["name"].lower(): parameter["index"]
            for parameter in self.plugin.get_parameters_description()
        }
        inputs = self.plugin.get_num_input_channels()
        # All input channels in one bus array: the main input first, the capture input last.
        feed = np.zeros((inputs, sidechain.shape[1]), np.float32)
        feed[-2:] = sidechain
        self.player = self.engine.make_playback_processor("track", feed)
        self.engine.load_graph([(self.player, []), (self.plugin, ["track"])])

    def set(self, name, value):
        self.plugin.set_parameter(self.index[name.lower()], value)

    def set_shown(self, name, wanted):
        """Sets the lowest normalized value whose text shows at least the number `wanted`."""
        index = self.index[name.lower()]

        def shown(value):
            self.plugin.set_parameter(index, value)
            return float(self.plugin.get_parameter_text(index).split()[0])

        below, reached = 0.0, 1.0
        if shown(0.0) >= wanted:
            reached = 0.0
        for _ in range(40):
            middle = 0.5 * (below + reached)
            if shown(middle) < wanted:
                below = middle
            else:
                reached = middle
        self.plugin.set_parameter(index, reached)

    def automate(self, name, values):
        self.plugin.set_automation(self.index[name.lower()], values)

    def render(self, seconds):
        self.engine.render(seconds)
        return self.engine.get_audio()[:2]


class DawDreamer(unittest.TestCase):
    def assert_sounds(self, audio):
        self.assertTrue(np.all(np.isfinite(audio)))
        self.assertGreater(rms_db(audio), -50.0)
        self.assertLess(np.max(np.abs(audio)), 1.0)

    def fitted(self):
        recording = rain(CAPTURE_S, seed=3)
        host = Host(recording)
        host.set_shown("Fit Steps A", FIT_STEPS)
        host.set_shown("Capture Length", CAPTURE_S - 0.5)
        host.set("Hold", 0.0)
        press = np.zeros(int(CAPTURE_S * SAMPLE_RATE), np.float32)
        press[BLOCK_SIZE * 8 : SAMPLE_RATE] = 1.0
        host.automate("Capture", press)
        while_capturing = host.render(CAPTURE_S)
        self.assertLess(rms_db(while_capturing), -80.0, "the input leaks into the output")
        host.automate("Capture", np.zeros(SAMPLE_RATE, np.float32))
        return host

    def wait_for_sound(self, host):
        # The player starts over with each render: silence it, so that only the texture is heard.
        host.player.set_data(np.zeros((host.plugin.get_num_input_channels(), 64), np.float32))
        host.set("Hold", 1.0)
        deadline = time.monotonic() + FIT_PATIENCE_S
        while rms_db(host.render(1.0)) < -50.0 and time.monotonic() < deadline:
            time.sleep(0.5)

    def test_slots_and_grab(self):
        host = self.fitted()
        self.wait_for_sound(host)
        # Slot C is empty: it listens, and keeps what it has heard.
        host.set("Slot", 2 / 3)
        host.set_shown("Fit Steps C", FIT_STEPS)
        feed = np.zeros((host.plugin.get_num_input_channels(), 3 * SAMPLE_RATE), np.float32)
        feed[-2:] = rain(3.0, seed=4)
        host.player.set_data(feed)
        press = np.zeros(3 * SAMPLE_RATE, np.float32)
        press[-SAMPLE_RATE // 4 :] = 1.0
        host.automate("Grab", press)
        heard = host.render(3.0)[:, SAMPLE_RATE : 5 * SAMPLE_RATE // 2]
        self.assertLess(rms_db(heard), -80.0, "an empty slot sounds")
        host.automate("Grab", np.zeros(SAMPLE_RATE, np.float32))
        self.wait_for_sound(host)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "weft.state")
            host.plugin.save_state(path)
            reopened = Host(np.zeros((2, 64), np.float32))
            reopened.plugin.load_state(path)
        self.assertAlmostEqual(
            reopened.plugin.get_parameter(reopened.index["slot"]), 2 / 3, places=3
        )
        for slot in [2 / 3, 0.0]:
            reopened.set("Slot", slot)
            reopened.render(0.5)
            self.assert_sounds(reopened.render(1.0))

    def test_sidechain_capture_texture_and_state(self):
        host = self.fitted()
        self.wait_for_sound(host)
        texture = host.render(10.0)
        self.assertEqual(texture.shape, (2, 10 * SAMPLE_RATE))
        for second in np.split(texture, 10, axis=1):
            self.assert_sounds(second)

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "weft.state")
            host.plugin.save_state(path)
            reopened = Host(np.zeros((2, 64), np.float32))
            before = reopened.render(0.5)
            self.assertLess(rms_db(before), -80.0, "a new instance sounds")
            reopened.plugin.load_state(path)
        self.assertEqual(
            reopened.plugin.get_parameter(reopened.index["hold"]), 1.0, "Hold was not restored"
        )
        again = reopened.render(10.0)
        # It sounds from the first half second on: nothing was fitted anew.
        self.assert_sounds(again[:, : SAMPLE_RATE // 2])
        for second in np.split(again, 10, axis=1):
            self.assert_sounds(second)
        self.assertLess(abs(rms_db(again) - rms_db(texture)), 3.0)


if __name__ == "__main__":
    unittest.main()
