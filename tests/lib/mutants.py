"""Faults planted in the Lua, for the tests that must find them.

A mutant is a file NAME.mutant: a sentence that begins with "# ", then `file: F`, a path in a folder of lua/, the text to be replaced
between "<<<" and "===", and what stands there instead between "===" and ">>>". The text must be there exactly once.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMAT = re.compile(r"\A# (?P<why>[^\n]+)\nfile: (?P<file>\S+)\n<<<\n(?P<old>.*?\n)===\n(?P<new>.*?)>>>\n\Z", re.S)
SECONDS_MOST = 1200


def program(name):
    """A test program of the build."""
    return ROOT / os.environ.get("BURSAR_BUILD", "build/dev") / "tests" / name


def surroundings(folder):
    """The variables for a program that is to read the Lua of `folder`."""
    return {**os.environ, "BURSAR_SOURCE_DIR": folder}


def plant(mutant, lua, folder, copied):
    """Copies what the test reads to `folder`, with the fault in it. (a sentence about the fault, whether it fits)"""
    match = FORMAT.match(mutant.read_text(encoding="utf-8"))
    if not match:
        return "is not of the format of a mutant", False
    for path in copied:
        shutil.copytree(ROOT / path, pathlib.Path(folder) / path)
    path = pathlib.Path(folder) / lua / match["file"]
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if text.count(match["old"]) != 1:
        return f"its text is {text.count(match['old'])} times in {lua}/{match['file']}, not once", False
    path.write_text(text.replace(match["old"], match["new"]), encoding="utf-8")
    return match["why"], True


def main(script, lua, copied, find, steps):
    """The command: finds all mutants beside the script, or those named. `find(folder, steps)` returns (found, what)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    if not shutil.which("redis-server"):
        print("skipped: there is no redis-server here")
        return 0

    def run(mutant):
        with tempfile.TemporaryDirectory() as folder:
            why, fits = plant(mutant, lua, folder, copied)
            if not fits:
                return False, f"{mutant.stem}: {why}"
            found, what = find(folder, options.steps)
            return found, f"{mutant.stem}: {'killed' if found else 'survived'}: {what}" + ("" if found else f" ({why})")

    mutants = [m for m in sorted(pathlib.Path(script).resolve().parent.glob("*.mutant"))
               if not options.name or m.stem in options.name]
    killed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        for ok, line in threads.map(run, mutants):
            killed += ok
            print(line, flush=True)
    print(f"{killed} killed, {len(mutants) - killed} survived")
    return 0 if mutants and killed == len(mutants) else 1


if __name__ == "__main__":
    sys.exit("use tests/pool/mutants/run or tests/property/mutants/run")
