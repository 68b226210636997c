"""The package: built the same twice, complete, typed, and of the project's version."""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]


def run(*words, **options):
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, timeout=280, check=False, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Both kinds, built twice; the second time in a copy that has other times, from the source package."""
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    env = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    run("-m", "build", "--no-isolation", "--outdir", first, cwd=PACKAGE, env=env)
    with tarfile.open(next(first.glob("*.tar.gz"))) as archive:
        archive.extractall(second)
    [source] = second.iterdir()
    run("-m", "build", "--no-isolation", "--wheel", "--outdir", second / "dist", cwd=source, env=env)
    run("-m", "build", "--no-isolation", "--sdist", "--outdir", second / "dist", cwd=PACKAGE, env=env)
    return first, second / "dist"


def test_packages_are_the_same_bytes_however_often_they_are_built(built):
    first, second = ({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()} for folder in built)
    assert first == second and sorted(name.rpartition(".")[2] for name in first) == ["gz", "whl"]


def test_the_wheel_has_the_stubs_and_the_source_package_makes_them(built):
    with zipfile.ZipFile(next(built[0].glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert {"bursar/py.typed", "bursar/v1/limiter_pb2.py", "bursar/v1/limiter_pb2.pyi", "bursar/services.py", "bursar/blocking.py"} <= names
    with tarfile.open(next(built[0].glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"proto/bursar/v1/admin.proto", "LICENSE", "README.md", "hatch_build.py"} <= names
    assert not any("_pb2" in name or name.endswith("services.py") for name in names)


def test_the_wheel_works_in_an_empty_folder_and_needs_grpcio_and_protobuf_only(built, tmp_path):
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", tmp_path, next(built[0].glob("*.whl")))
    metadata = next(tmp_path.glob("*.dist-info/METADATA")).read_text()
    assert re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", metadata, re.M) == ["grpcio", "protobuf"]
    code = "import bursar, bursar.blocking, bursar.v1.admin_pb2; print(bursar.__file__, bursar.__version__)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    assert run("-c", code, env=env, cwd="/").startswith(str(tmp_path))


def test_importing_the_package_loads_no_framework(tmp_path):
    code = ("import bursar, sys; print([name for name in ('openai', 'anthropic', 'aiogram', 'telegram', 'discord', 'litellm', 'starlette')"
            " if name in sys.modules])")
    assert run("-c", code) == "[]\n"


def test_the_version_is_the_projects():
    import bursar
    project = re.search(r"project\(bursar VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert bursar.__version__ == project


def test_types_are_strict():
    """Also of a program that uses the package."""
    run("hatch_build.py", cwd=PACKAGE)
    run("-m", "mypy", "--cache-dir", os.devnull, "src/bursar/_core", "src/bursar/_client.py", "src/bursar/blocking.py", "src/bursar/pool.py",
        "src/bursar/events.py", "tests/typed.py", cwd=PACKAGE)


def test_api_docs_are_made_by_one_command(tmp_path):
    run("-m", "pdoc", "--no-show-source", "--output-directory", tmp_path, "bursar", "bursar.blocking", "!bursar.v1")
    assert "record_use" not in (tmp_path / "bursar.html").read_text() and (tmp_path / "bursar" / "blocking.html").exists()
