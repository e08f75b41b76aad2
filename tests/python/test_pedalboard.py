"""The built VST3 in pedalboard: instrument, parameters and state by another JUCE host."""

import os
import unittest

import mido
import numpy as np
import pedalboard

SAMPLE_RATE = 48_000
# As pedalboard spells them: the name, and the unit where the plugin shows one.
PARAMETERS = """
    pitch_st time quality pitch_bend bend_range_st brightness_db_oct smear contrast density width
    low_cut high_cut gain_db attack decay sustain release limiter hold key_follow root_key seed
    lock_to_timeline lock_tempo capture capture_length_s fit_steps
""".split()


def load():
    return pedalboard.load_plugin(os.path.join(os.environ["WEFT_BUNDLE_DIR"], "Weft.vst3"))


def notes():
    return [
        mido.Message("note_on", note=60, velocity=100, time=0.1),
        mido.Message("note_off", note=60, velocity=0, time=0.5),
    ]


class Pedalboard(unittest.TestCase):
    def test_loads_as_an_instrument_with_its_parameters(self):
        plugin = load()
        self.assertTrue(plugin.is_instrument)
        for name in PARAMETERS:
            self.assertIn(name, plugin.parameters)

    def test_is_silent_and_sound_before_the_first_capture(self):
        audio = load()(notes(), duration=1.0, sample_rate=SAMPLE_RATE, num_channels=2)
        self.assertEqual(audio.shape, (2, SAMPLE_RATE))
        self.assertEqual(np.max(np.abs(audio)), 0.0)

    def test_parameters_travel_in_the_state(self):
        plugin = load()
        plugin.parameters["gain_db"].raw_value = 0.25
        plugin(notes(), duration=0.1, sample_rate=SAMPLE_RATE)
        state = plugin.raw_state
        other = load()
        other.raw_state = state
        other(notes(), duration=0.1, sample_rate=SAMPLE_RATE)
        self.assertAlmostEqual(other.parameters["gain_db"].raw_value, 0.25, places=3)


if __name__ == "__main__":
    unittest.main()
