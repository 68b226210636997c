"""libbursar as `cmake --install` leaves it: what it shows, and a program that uses it as docs/api.md says."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness import program, until
from harness.paths import ROOT

EXAMPLE = ROOT / "client" / "c" / "examples" / "check.c"
PLANTED = "int bursar_planted(void);\nint bursar_planted(void)\n{\n\treturn 0;\n}\n"


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module", name="installed")
def fixture_installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", str(pathlib.Path(program("bursar")).parents[1]), "--prefix", str(prefix), "--component", "library")
    return prefix


def environment(installed):
    return {**os.environ, "PKG_CONFIG_PATH": str(installed / "lib/pkgconfig"), "LD_LIBRARY_PATH": str(installed / "lib")}


def pkg_config(installed, *words):
    return run("pkg-config", *words, "bursar", env=environment(installed)).split()


def declared(installed):
    """The functions and variables that bursar.h and the headers beside it declare, as the preprocessor shows them."""
    text = run("cc", "-E", *pkg_config(installed, "--cflags"), str(installed / "include/bursar.h"))
    ours, lines = False, []
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]+)"', line)
        if marker:
            ours = pathlib.Path(marker[1]).resolve().is_relative_to(installed.resolve())
        elif ours and not line.startswith("#"):
            lines.append(line)
    text = " ".join(lines)
    while "{" in text:  # the members of structs and enums
        text = re.sub(r"\{[^{}]*\}", " ", text)
    names = set()
    for statement in text.split(";"):
        words = statement.split()
        if not words or words[0] == "typedef":
            continue
        if "(" in statement:
            names.add(re.search(r"(\w+)\s*\(", statement)[1])
        elif words[0] == "extern":
            names.add(words[-1])
    return names


def visible(library):
    """The symbols that a program can link to: of a shared library, or of all objects of a static one."""
    flags = ["-D"] if ".so" in library.name else ["-g"]
    rows = [line.split() for line in run("nm", *flags, "--defined-only", str(library)).splitlines()]
    return {row[2] for row in rows if len(row) == 3}


def faults(library, installed):
    """The sentences about a library that shows anything but what is declared."""
    return [f"{library.name}: {'shows' if name in visible(library) else 'lacks'} {name}"
            for name in sorted(visible(library) ^ declared(installed))]


def test_the_header_declares_what_one_expects(installed):
    """The reader of declarations above sees functions of all three kinds of headers, and variables."""
    names = declared(installed)
    assert {"bursar_open", "bursar_slot_open", "bursar_check", "bursar_diagnose", "bursar__v1__check_request__init",
            "bursar__v1__check_request__descriptor", "bursar_spool_open", "bursar_renewer_open"} <= names
    assert all(name.startswith("bursar") for name in names) and not {"bursar_done", "bursar_message"} & names


@pytest.mark.parametrize("name", ["libbursar.so", "libbursar.a"])
def test_a_library_shows_exactly_what_the_header_declares(installed, name):
    assert not faults(installed / "lib" / name, installed)


def test_a_planted_symbol_is_found_in_both_libraries(installed, tmp_path):
    source, planted = tmp_path / "planted.c", tmp_path / "planted.o"
    source.write_text(PLANTED, encoding="utf-8")
    run("cc", "-c", "-fPIC", str(source), "-o", str(planted))
    static, shared = tmp_path / "libbursar.a", tmp_path / "libbursar.so"
    shutil.copy(installed / "lib/libbursar.a", static)
    run("cc", "-shared", "-o", str(shared), str(planted), "-Wl,--whole-archive", str(static), "-Wl,--no-whole-archive",
        *pkg_config(installed, "--static", "--libs"))
    run("ar", "q", str(static), str(planted))
    for library in (static, shared):
        assert faults(library, installed) == [f"{library.name}: shows bursar_planted"]


def test_the_libraries_have_a_soname_and_one_version(installed):
    version = pkg_config(installed, "--modversion")[0]
    soname = "libbursar.so." + version.rpartition(".")[0]
    assert f"[{soname}]" in run("readelf", "-d", str(installed / "lib/libbursar.so"))
    assert (installed / "lib/libbursar.so").readlink() == pathlib.Path(soname)
    assert (installed / "lib" / soname).readlink() == pathlib.Path(f"libbursar.so.{version}")


@pytest.mark.parametrize("name", ["libbursar.so", "libbursar.a", "pkgconfig/bursar.pc"])
def test_what_is_installed_does_not_depend_on_where_it_was_built(installed, name):
    assert str(ROOT).encode() not in (installed / "lib" / name).read_bytes()


@pytest.mark.parametrize("compiler", [["cc", "-std=c11"], ["cc", "-std=c17"], ["clang", "-std=c11"], ["clang++", "-x", "c++", "-Wno-keyword-macro"]])
def test_the_header_compiles_alone_and_without_a_warning(installed, compiler):
    run(compiler[0], "-Wall", "-Wextra", "-Wpedantic", "-Werror", *compiler[1:], "-fsyntax-only", *pkg_config(installed, "--cflags"),
        str(installed / "include/bursar.h"))


def test_names_of_the_library_do_not_clash_with_those_of_a_program(installed, tmp_path):
    """A program may have messages of google.rpc of its own, and functions called like those inside the library."""
    source = tmp_path / "own.c"
    source.write_text("#include <bursar.h>\nint google__rpc__status__descriptor, bursar__now_us, bursar__methods;\n"
                      "int main(void)\n{\n\treturn bursar_open(\"\", NULL, NULL) != NULL;\n}\n", encoding="utf-8")
    run("sh", "-c", commands()[1].replace("check.c", str(source)).replace("-o check", f"-o {tmp_path}/own"), env=environment(installed))
    run(str(tmp_path / "own"), env=environment(installed))


def commands():
    """The two lines of docs/api.md that compile the example: with the shared library, and with the static one."""
    found = re.findall(r"^cc check\.c .+$", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.M)
    assert len(found) == 2
    return found


@pytest.fixture(params=[0, 1], ids=["shared", "static"], name="example")
def fixture_example(request, installed, tmp_path):
    """Runs the example, built as the page says: (exit code, what it says)."""
    shutil.copy(EXAMPLE, tmp_path)
    run("sh", "-c", commands()[request.param], cwd=tmp_path, env=environment(installed))
    needed = run("readelf", "-d", str(tmp_path / "check"))
    assert ("libbursar.so" in needed) == (request.param == 0)

    def start(*words):
        done = subprocess.run([str(tmp_path / "check"), *words], capture_output=True, text=True, timeout=60, check=False,
                              env=environment(installed))
        return done.returncode, done.stdout + done.stderr

    return start


def test_the_example_checks_works_and_records(example, bursard, postgres):
    # gpt-4o-mini: 500 x 150,000 + 100 x 600,000 pico-USD
    assert example("alice", bursard.grpc_addr) == (0, "cost: 135000 nano-USD\n")
    until(lambda: postgres.query("select cost_nano from ledger") == [(135000,)], "the ledger's row")
    for _ in range(2):
        assert example("alice", bursard.grpc_addr)[0] == 0
    code, said = example("alice", bursard.grpc_addr)  # free: 3 requests a minute
    assert code == 1 and said.count("\n") == 1


def test_the_example_says_why_it_cannot_go_on(example, bursard):
    assert example("", bursard.grpc_addr) == (2, "INVALID_ARGUMENT: user is empty; 1 to 128 bytes are needed\n")
    code, said = example("alice", "::1")
    assert code == 2 and said.startswith("INVALID_ARGUMENT: address '::1' is not an address")
    code, said = example("alice", "127.0.0.1:9")
    assert code == 2 and said.startswith("UNAVAILABLE: ")
