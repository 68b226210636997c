"""tests/bench/run: its parts, its options, and how it compares. What it measures is not tested: figures have no right value."""
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from harness.paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))

import parts  # noqa: E402
from measuring.calls_of_redis import unescaped  # noqa: E402
from measuring.figures import interleave, ratio, spread  # noqa: E402


def run(*arguments):
    return subprocess.run([ROOT / "tests" / "bench" / "run", *arguments], capture_output=True, text=True, check=False)


def test_help_has_a_line_for_each_part():
    modules = {path.stem for path in (ROOT / "tests" / "bench" / "parts").glob("*.py")} - {"__init__"}
    lines = run("--help").stdout.partition("parts, all by default:\n")[2].splitlines()

    assert set(parts.NAMES) == modules
    assert [line.split()[0] for line in lines] == list(parts.NAMES)
    assert all(re.fullmatch(r"  \w+ +[A-Z].*\.", line) for line in lines)


@pytest.mark.parametrize("arguments, says", [
    (["nothing"], "PART: nothing: not one of server http redis"),
    (["beside"], "beside: --beside DIR says beside what"),
    (["--rounds", "0"], "--rounds: at least 1"),
    (["--build", "/nowhere", "idle"], "--build: /nowhere lacks bin/bursard"),
])
def test_it_says_which_argument_is_wrong(arguments, says):
    done = run(*arguments)
    assert done.returncode != 0 and says in done.stderr


def test_sides_are_measured_in_turns():
    seen = []

    def side(name):
        return lambda number: seen.append(name) or (name, number)

    found = interleave(3, {"a": side("a"), "b": side("b")})

    assert "".join(seen) == "abbaab"
    assert found == {"a": [("a", 0), ("a", 1), ("a", 2)], "b": [("b", 0), ("b", 1), ("b", 2)]}


def test_a_figure_is_the_median_and_a_ratio_that_of_each_round():
    assert spread([3.0, 1.0, 1234.5]) == "3.0 (1.0..1,234.5)"
    assert ratio([20.0, 90.0, 80.0], [10.0, 30.0, 20.0]) == "**3.00** (2.00..4.00)"


def test_what_monitor_escapes_is_read_as_bytes():
    assert unescaped(rb'"FCALL" "a\"b\\" "\x00\xff\n" ""') == [b"FCALL", b'a"b\\', b"\x00\xff\n", b""]


def test_bars_are_as_long_as_their_numbers():
    done = subprocess.run([ROOT / "tests" / "bench" / "bars", "A & B"], input="a = 50\n\nb < c = 100\n", capture_output=True, text=True, check=True)
    picture = ElementTree.fromstring(done.stdout)
    widths = [float(bar.get("width")) for bar in picture.findall("{*}rect")[1:]]
    assert widths[1] == 2 * widths[0]
    assert [text.text for text in picture.findall("{*}text")] == ["A & B", "a", "50", "b < c", "100"]
