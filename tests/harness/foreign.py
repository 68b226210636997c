"""Programs of other languages that tests run, built once into build/clients: what tests/clients/go and tests/clients/js need comes from
the Go module proxy and from npm. Where they or the languages cannot be had, the test is skipped, with the reason."""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from grpc_tools import protoc

from .paths import ROOT
from .process import temp_dir

MADE = ROOT / "build" / "clients"
UNREACHABLE = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network|dial tcp|no such host|i/o timeout")
TOO_OLD = re.compile(r"requires go >=|invalid go version")


@contextlib.contextmanager
def _locked(folder):
    """Several processes of pytest may want it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _make(what, *command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=3000, **options)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if TOO_OLD.search(said):
        pytest.skip(f"{what}: Go is too old: {said.strip().splitlines()[-1]}")
    if UNREACHABLE.search(said):
        pytest.skip(f"{what}: its registry cannot be reached: {said.strip().splitlines()[-1]}")
    raise RuntimeError(f"{what} cannot be made:\n{said}")


def go_program(package):
    """The path of a program of tests/clients/go: "." or the path of a package that its go.mod names."""
    if not shutil.which("go"):
        pytest.skip("Go is not installed")
    with _locked(MADE / "go") as folder:
        name = "client" if package == "." else package.rsplit("/", 1)[1]
        _make(package, "go", "build", "-o", folder / name, package, cwd=ROOT / "tests" / "clients" / "go",
              env={**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"})
    return folder / name


def node_program():
    """The words that run tests/clients/js/client.mjs."""
    if not shutil.which("npm"):
        pytest.skip("Node and npm are not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version[1:].split(".")[0]) < 20:
        pytest.skip(f"Node {version} is older than 20, which connect-node needs")
    source = ROOT / "tests" / "clients" / "js"
    with _locked(MADE / "js") as folder:
        lock = (source / "package-lock.json").read_text()
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(source / name, folder)
            _make("npm ci", "npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-progress", cwd=folder)
            stamp.write_text(lock)
        shutil.copy(source / "client.mjs", folder)
    return ["node", folder / "client.mjs"]


def descriptors():
    """A file with the descriptors of all of proto/, for those who know nothing else."""
    out = pathlib.Path(temp_dir("descriptors")) / "set"
    root = ROOT / "proto"
    files = [str(path.relative_to(root)) for path in sorted(root.rglob("*.proto"))]
    includes = [root, pathlib.Path(protoc.__file__).parent / "_proto", "/usr/include"]
    if protoc.main(["protoc", *(f"-I{path}" for path in includes), "--include_imports", f"--descriptor_set_out={out}", *files]) != 0:
        raise RuntimeError("protoc failed")
    return out


class Foreign:
    """A client of another language, running: what it is told and what it answers is said in tests/clients/go/main.go."""

    def __init__(self, command, address, ca=None):
        words = [*command, address, descriptors(), *([ca] if ca else [])]
        self.popen = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, method, *requests, timeout=60, take=0, **metadata):
        order = {"method": method, "requests": requests or [{}], "timeout": timeout, "take": take, "metadata": metadata}
        self.popen.stdin.write(json.dumps(order) + "\n")
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        assert line, f"the client ended with {self.popen.wait()}"
        return json.loads(line)

    def close(self):
        self.popen.stdin.close()
        assert self.popen.wait(60) == 0
        self.popen.stdout.close()
