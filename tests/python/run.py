"""Runs the test modules named on the command line and ends with a line that `cargo xtask` reads."""

import sys
import unittest

suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
failed = len(outcome.failures) + len(outcome.errors) + len(outcome.unexpectedSuccesses)
skipped = len(outcome.skipped)
passed = max(outcome.testsRun - failed - skipped, 0)
print(f"result: {passed} passed, {failed} failed, {skipped} skipped", flush=True)
sys.exit(0 if outcome.wasSuccessful() else 1)
