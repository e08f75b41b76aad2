"""The built VST3 in pedalboard: parameters and state of the instrument, and the effect at work."""

import os
import time
import unittest

import mido
import numpy as np
import pedalboard

SAMPLE_RATE = 48_000
# As pedalboard spells them: the name, and the unit where the plugin shows one.
PARAMETERS = """
    pitch_st time quality pitch_bend bend_range_st brightness_db_oct smear contrast density width
    low_cut high_cut gain_db attack decay sustain release limiter hold key_follow root_key seed
    lock_to_timeline lock_tempo slot capture grab capture_start threshold_dbfs capture_length_s
    fit_steps_a fit_steps_b fit_steps_c fit_steps_d
    wheel_to wheel_amount pressure_to pressure_amount slide_to slide_amount velocity_to velocity_amount
""".split()
# A fit of 100 steps takes seconds; a machine that is busy with other things gets this long.
FIT_PATIENCE_S = 300.0


def load(name="Weft"):
    path = os.path.join(os.environ["WEFT_BUNDLE_DIR"], "Weft.vst3")
    return pedalboard.load_plugin(path, plugin_name=name)


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

    def test_the_effect_captures_the_track_it_is_on(self):
        effect = load("Weft FX")
        self.assertTrue(effect.is_effect)
        track = 0.1 * np.random.default_rng(3).standard_normal((2, 3 * SAMPLE_RATE))
        track = track.astype(np.float32)
        effect.parameters["capture_length_s"].raw_value = 0.0
        effect.parameters["fit_steps_a"].raw_value = 0.0
        effect(track[:, :4800], SAMPLE_RATE)
        effect.parameters["capture"].raw_value = 1.0
        heard = effect(track, SAMPLE_RATE, reset=False)
        np.testing.assert_array_equal(heard, track)
        effect.parameters["capture"].raw_value = 0.0
        effect.parameters["dry"].raw_value = 0.0
        effect.parameters["hold"].raw_value = 1.0

        def sounds(plugin):
            silence = np.zeros((2, SAMPLE_RATE), np.float32)
            texture = plugin(silence, SAMPLE_RATE, reset=False)
            self.assertTrue(np.all(np.isfinite(texture)))
            return np.sqrt(np.mean(np.square(texture[:, SAMPLE_RATE // 2 :]))) > 0.003

        deadline = time.monotonic() + FIT_PATIENCE_S
        while not sounds(effect):
            self.assertLess(time.monotonic(), deadline, "the texture stays silent")
            time.sleep(0.5)
        reopened = load("Weft FX")
        reopened.raw_state = effect.raw_state
        sounds(reopened)
        self.assertTrue(sounds(reopened))


if __name__ == "__main__":
    unittest.main()
