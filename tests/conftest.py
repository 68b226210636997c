"""Makes the package `harness` and its fixtures known to every test below."""
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# A shell's background jobs ignore it, and so would all programs under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from harness.fixtures import *  # noqa: E402,F401,F403
