"""deploy/local, all its commands, beside whatever else runs on this machine: ports and directory of its own."""
import http.client
import os
import pathlib
import re
import signal
import subprocess

import pytest

from harness.ports import free_port
from harness.process import temp_dir
from harness.wait import until

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Local:
    def __init__(self, directory=None):
        self.grpc, self.http = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        self.var = os.path.join(directory or temp_dir("local"), "var")
        self.env = {**os.environ, "LOCAL_VAR": self.var, "BURSAR_GRPC_LISTEN": self.grpc, "BURSAR_HTTP_LISTEN": self.http}
        self.env.pop("BURSAR_BUILD", None)

    def __call__(self, *words):
        return subprocess.run([str(ROOT / "deploy" / "local"), *words], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)

    def pids(self):
        """{part: pid} of what runs."""
        return {name: int(pid) for name, pid in re.findall(r"^(\w+) +running +(\d+)", self("status").stdout, re.M)}


@pytest.fixture(scope="module")
def local():
    local = Local()
    yield local
    local("reset", "--yes")


@pytest.fixture
def up(local):
    done = local("up")
    assert done.returncode == 0, done.stdout
    return local


def test_up_starts_all_three_and_names_commands_to_try(local):
    done = local("up")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("\n  ") >= 3
    assert set(local.pids()) == {"redis", "postgres", "bursard"}
    assert local("status").returncode == 0
    assert os.access(os.path.join(local.var, "bin", "bursar"), os.X_OK)


def test_up_again_leaves_what_runs_alone(up):
    before = up.pids()
    done = up("up")
    assert done.returncode == 0, done.stdout
    assert up.pids() == before


def status_of(address, path):
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("GET", path)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_up_prints_the_dashboards_address_and_a_login_once_there_are_keys(up):
    def line():
        return next(line.strip() for line in up("up").stdout.splitlines() if line.startswith(f"  http://{up.http}/"))

    def bursar(*words, **env):
        return subprocess.run([os.path.join(up.var, "bin", "bursar"), *words], env={**up.env, "BURSAR_ADDR": up.grpc, **env},
                              capture_output=True, text=True, timeout=60, check=True).stdout

    assert line() == f"http://{up.http}/"
    key = re.search(r"bsk_\S{20,}", bursar("key", "create", "operator"))[0]
    try:
        assert "'var/bin/bursar dashboard" in line()
        up.env["BURSAR_KEY"] = key
        link = line()
        assert re.fullmatch(rf"http://{up.http}/login\?code=blc_[\w-]+", link)
        assert [status_of(up.http, link.removeprefix(f"http://{up.http}")) for _ in range(2)] == [303, 401]
    finally:
        up.env.pop("BURSAR_KEY", None)
        assert up("reset", "--yes").returncode == 0
        assert up("up").returncode == 0


@pytest.mark.parametrize("part", ["redis", "postgres", "bursard"])
def test_up_repairs_what_died(up, part):
    before = up.pids()
    os.kill(before[part], signal.SIGKILL)
    until(lambda: part not in up.pids(), f"{part} gone")
    done = up("up")
    assert done.returncode == 0, done.stdout
    after = up.pids()
    assert set(after) == set(before) and after[part] != before[part]


def test_status_fails_when_something_is_missing(up):
    os.kill(up.pids()["bursard"], signal.SIGKILL)
    until(lambda: up("status").returncode == 1, "status ending with 1")
    assert "bursard      stopped" in up("status").stdout


def test_the_ports_of_up_are_those_of_every_command_that_follows(up):
    del up.env["BURSAR_GRPC_LISTEN"], up.env["BURSAR_HTTP_LISTEN"]
    before = up.pids()
    try:
        assert f"gRPC {up.grpc}, HTTP {up.http}, ready" in up("status").stdout
        assert up.grpc in up("help").stdout
        assert up("up").returncode == 0 and up.pids() == before
        assert up("down").returncode == 0 and up("up").returncode == 0
        assert f"gRPC {up.grpc}, HTTP {up.http}, ready" in up("status").stdout
        up.env["BURSAR_GRPC_LISTEN"] = other = f"127.0.0.1:{free_port()}"
        moved = up("up")
        assert moved.returncode == 0 and f"restarting it on {other}" in moved.stdout, moved.stdout
        del up.env["BURSAR_GRPC_LISTEN"]
        assert f"gRPC {other}, HTTP {up.http}, ready" in up("status").stdout
    finally:
        up.env["BURSAR_GRPC_LISTEN"], up.env["BURSAR_HTTP_LISTEN"] = up.grpc, up.http
        assert up("up").returncode == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as another user")
def test_where_postgresqls_user_cannot_go_the_data_are_kept_and_linked():
    hidden, kept = temp_dir("hidden"), temp_dir("kept")
    os.chmod(hidden, 0o700)
    os.chmod(kept, 0o755)
    local = Local(hidden)
    local.env["LOCAL_STATE"] = kept
    try:
        done = local("up")
        assert done.returncode == 0, done.stdout
        state = os.path.realpath(os.path.join(local.var, "state"))
        assert os.path.dirname(state) == kept and os.path.isfile(os.path.join(state, "postgres", "data", "PG_VERSION"))
        assert not any(name.startswith("bursar-") for name in os.listdir("/var/tmp")), "the system deletes old files there"
        assert local("demo").returncode == 0
    finally:
        assert local("reset", "--yes").returncode == 0
    assert os.listdir(kept) == []


def test_a_long_path_keeps_its_data_where_they_belong():
    local = Local(os.path.join(temp_dir("long"), "a" * 60))
    os.makedirs(os.path.dirname(local.var))
    for path in (os.path.dirname(local.var), os.path.dirname(os.path.dirname(local.var))):
        os.chmod(path, 0o755)
    try:
        done = local("up")
        assert done.returncode == 0, done.stdout
        assert os.path.isfile(os.path.join(local.var, "postgres", "data", "PG_VERSION")) and local("status").returncode == 0
    finally:
        assert local("reset", "--yes").returncode == 0


def test_the_demo_proves_the_books(up):
    done = up("demo")
    assert done.returncode == 0, done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("proof: ok"), done.stdout


def test_down_stops_all_and_keeps_the_data(up):
    pids = up.pids()
    assert up("down").returncode == 0
    assert up.pids() == {}
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids.values())
    assert up("down").returncode == 0
    assert up("up").returncode == 0


def test_reset_asks_before_it_deletes(up):
    done = up("reset")
    assert done.returncode != 0 and "--yes" in done.stdout
    assert set(up.pids()) == {"redis", "postgres", "bursard"}
    assert up("reset", "--yes").returncode == 0
    assert not os.path.exists(up.var)


def test_a_wrong_command_is_told_the_right_ones(local):
    done = local("start")
    assert done.returncode == 2 and "deploy/local COMMAND" in done.stdout


def test_a_port_that_is_taken_is_said_so(local):
    taken = Local()
    taken.env["BURSAR_GRPC_LISTEN"] = local.grpc
    assert local("up").returncode == 0
    done = taken("up")
    taken("reset", "--yes")
    assert done.returncode == 1 and f"{local.grpc} is in use" in done.stdout, done.stdout
