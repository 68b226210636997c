"""Makes the package `harness` and its fixtures known to every test below."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness.fixtures import *  # noqa: E402,F401,F403
