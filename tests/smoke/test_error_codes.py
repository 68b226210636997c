"""A new error code is a row of server/base/err_codes.def and a constant of bursar.h: the compiler finds one without the other."""
import subprocess

import pytest

from harness import program
from harness.paths import ROOT, build

TABLE = (ROOT / "server" / "base" / "err_codes.def").read_text(encoding="utf-8")
HEADER = (ROOT / "client" / "c" / "bursar.h").read_text(encoding="utf-8")
ROW, CONSTANT = "ERR_CODE(ABORTED, ABORTED, 10)\n", "\tBURSAR_ABORTED = 10,\n"


def compiled(folder, source, table=TABLE, header=HEADER):
    """What the compiler says of a source with these two files in the place of ours; "" when it is content."""
    assert program("bursar")  # the build has the generated headers
    for name, text in (("base/err_codes.def", table), ("c/bursar.h", header)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    flags = subprocess.run(["pkg-config", "--cflags", "grpc", "libprotobuf-c"], check=True, capture_output=True, text=True).stdout.split()
    return subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Werror", "-fsyntax-only", f"-I{folder}", f"-I{ROOT}/server",
                           f"-I{ROOT}/client", f"-I{ROOT}/client/c", f"-I{build()}/gen", *flags, str(ROOT / source)],
                          capture_output=True, text=True, timeout=120, check=False).stderr


@pytest.mark.parametrize("source", ["client/c/error.c", "server/rpc/status.c"])
def test_the_table_agrees_with_bursar_h_and_with_grpc(tmp_path, source):
    assert ROW in TABLE and CONSTANT in HEADER
    assert compiled(tmp_path, source) == ""


def test_a_row_without_a_constant_does_not_compile(tmp_path):
    assert "BURSAR_ABORTED" in compiled(tmp_path, "client/c/error.c", header=HEADER.replace(CONSTANT, ""))


def test_a_constant_without_a_row_does_not_compile(tmp_path):
    assert "BURSAR_ABORTED" in compiled(tmp_path, "client/c/error.c", table=TABLE.replace(ROW, ""))


def test_a_number_that_is_not_the_wire_s_does_not_compile(tmp_path):
    moved = TABLE.replace(ROW, ROW.replace("10", "17"))
    assert "ABORTED" in compiled(tmp_path, "server/rpc/status.c", table=moved)
    assert "BURSAR_ABORTED" in compiled(tmp_path, "client/c/error.c", table=moved)
