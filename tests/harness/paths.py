"""Where the source and the build are. BURSAR_BUILD names the build to test; without it each folder of tests has its own (DEFAULTS)."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The preset of each folder's build, as tests/run uses it.
DEFAULTS = {"smoke": "release", "deploy": "release"}
preset = "dev"  # of the test that runs: tests/conftest.py sets it


def preset_of(path):
    """The preset whose build a file of tests is for."""
    path = pathlib.Path(path).resolve()
    folder = path.relative_to(ROOT / "tests").parts[0] if path.is_relative_to(ROOT / "tests") else ""
    return DEFAULTS.get(folder, "dev")


def build():
    """The folder of the build of the test that runs."""
    return pathlib.Path(os.environ.get("BURSAR_BUILD") or ROOT / "build" / preset).resolve()


class NotBuilt(RuntimeError):
    """There is no such program yet; the text says what to do."""


def program(name):
    """The path of a built program: bursard or bursar."""
    path = build() / "bin" / name
    if path.exists():
        return str(path)
    if os.environ.get("BURSAR_BUILD"):
        raise NotBuilt(f"BURSAR_BUILD: there is no {path}; build it, or unset the variable to test build/{preset}")
    raise NotBuilt(f"{path} is not built yet: cmake --preset {preset} && cmake --build --preset {preset}")
