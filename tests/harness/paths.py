"""Where the source and the build are. BURSAR_BUILD names the build to test; default: build/dev."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BURSAR_BUILD", ROOT / "build" / "dev")).resolve()


def program(name):
    """The path of a built program: bursard or bursar."""
    path = BUILD / "bin" / name
    if not path.exists():
        raise RuntimeError(f"{path} does not exist: build it (cmake --preset dev && cmake --build --preset dev), "
                           "or set BURSAR_BUILD to a build that has it")
    return str(path)
