"""tests/lint/symbols on a small tree of its own: each kind of fault is found, and what is allowed passes."""
import pathlib
import shutil
import subprocess

import pytest

LINT = pathlib.Path(__file__).resolve().parents[1] / "lint"
ROWS = """
server/base:  |
server/low:   base |
server/high:  base low |
"""
SOUND = {
    "base/base.h": "int base_one(void);\n",
    "base/base.c": '#include "base/base.h"\nint base_one(void) { return 1; }\n',
    "low/low.h": "int low_one(void);\nint low_planted(void);\n",
    "low/low.c": '#include "low/low.h"\n#include "base/base.h"\nint low_one(void) { return base_one(); }\n',
    "high/high.c": '#include "low/low.h"\nint high_one(void);\nint high_one(void) { return low_one(); }\n',
}


@pytest.fixture
def lint(tmp_path):
    """Builds a tree of the files and runs the lint on it; answers (exit code, output)."""
    def run(files, rows=ROWS, build=None):
        (tmp_path / "tests" / "lint").mkdir(parents=True)
        for name in "layers", "symbols":
            shutil.copy(LINT / name, tmp_path / "tests" / "lint" / name)
        (tmp_path / "tests" / "layers.txt").write_text(rows, encoding="utf-8")
        for name, text in files.items():
            path = tmp_path / "server" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for name in files if build is None else build:
            if name.endswith(".c"):
                target = tmp_path / "build" / "dev" / "all.dir" / "server" / (name + ".o")
                target.parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cc", "-c", f"-I{tmp_path}/server", "-o", target, tmp_path / "server" / name], check=True)
        done = subprocess.run([tmp_path / "tests" / "lint" / "symbols"], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_tree_that_points_downward_passes(lint):
    assert lint(SOUND) == (0, "")


def test_a_function_declared_below_and_defined_above_is_found(lint):
    files = SOUND | {
        "low/planted.c": '#include "low/low.h"\nint low_two(void);\nint low_two(void) { return low_planted(); }\n',
        "high/planted.c": '#include "low/low.h"\nint low_planted(void) { return 2; }\n',
    }
    code, output = lint(files)
    assert code == 1
    assert "server/low/planted.c: may not refer to low_planted of server/high/planted.c" in output
    assert "a circle of folders: server/high server/low" in output


def test_an_include_that_closes_a_circle_is_found_though_both_rows_allow_it(lint):
    files = SOUND | {"low/up.h": '#include "high/high.h"\n', "high/high.h": "struct high;\n"}
    code, output = lint(files, ROWS.replace("server/low:   base", "server/low:   base high"))
    assert code == 1
    assert "a circle of folders: server/high server/low" in output
    assert "server/low -> server/high: server/low/up.h includes high/high.h" in output


def a_circle(folder):
    return {
        f"{folder}/left.c": "int left(void);\nint right(void);\nint left(void) { return right(); }\n",
        f"{folder}/right.c": "int left(void);\nint right(void);\nint right(void) { return left(); }\n",
    }


def test_a_circle_inside_a_folder_is_found(lint):
    code, output = lint(SOUND | a_circle("low"))
    assert code == 1
    assert "server/low: a circle: left.c right.c" in output
    assert "server/low/left.c -> server/low/right.c: right" in output


def test_a_circle_inside_a_folder_is_allowed_by_its_line(lint):
    assert lint(SOUND | a_circle("low"), ROWS + "circles server/low: 1 of 2 files\n") == (0, "server/low: 1 circle of 2 files\n")


def test_a_circle_that_grows_is_found(lint):
    files = SOUND | a_circle("low")
    files["low/right.c"] = "int left(void);\nint right(void);\nint third(void);\nint right(void) { return third(); }\n"
    files["low/third.c"] = "int left(void);\nint third(void);\nint third(void) { return left(); }\n"
    code, output = lint(files, ROWS + "circles server/low: 1 of 2 files\n")
    assert code == 1
    assert "server/low: 1 circle of 3 files; allowed are 1 of 2" in output


def test_a_build_that_lacks_a_source_is_refused(lint):
    code, output = lint(SOUND, build=[name for name in SOUND if name != "low/low.c"])
    assert code == 1
    assert "build it first" in output and "server/low/low.c" in output
