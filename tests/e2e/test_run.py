"""bursar run: any command under a slot of a pool. A pool's size is the option max_concurrent_agents of its bursard."""
import os
import signal
import subprocess

import pytest
from harness.paths import program
from harness.ports import free_port


LOST, NO_SLOT, FAILED, NOT_EXECUTABLE, NOT_FOUND = 123, 124, 125, 126, 127


class Runs:
    """Starts `bursar run`s; all of them are gone after the test."""

    def __init__(self, folder):
        self.folder, self.started = folder, []

    def start(self, addr, user, *options, command):
        err = open(self.folder / f"err{len(self.started)}", "w+", encoding="utf-8")
        process = subprocess.Popen([program("bursar"), "run", "--user", user, *options, "--", *command],
                                   env={**os.environ, "BURSAR_ADDR": addr}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=err, text=True)
        process.err = err
        self.started.append(process)
        return process

    def end(self, addr, user, *options, command):
        process = self.start(addr, user, *options, command=command)
        out, _ = process.communicate(timeout=60)
        return process.returncode, out, said(process)

    def stop(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
            process.err.close()


def said(process):
    process.err.seek(0)
    return process.err.read()


@pytest.fixture
def runs(tmp_path):
    started = Runs(tmp_path)
    yield started
    started.stop()


def holder(path):
    """A command that holds its slot until the file is there."""
    return ["sh", "-c", f'echo started; while [ ! -e "{path}" ]; do sleep 0.05; done']


def read_line(process):
    return process.stdout.readline().strip()


def test_the_command_runs_and_its_exit_code_is_kept(bursard, runs):
    code, out, err = runs.end(bursard.grpc_addr, "ann", command=["sh", "-c", "echo hello; exit 7"])
    assert (code, out, err) == (7, "hello\n", "")


def test_a_signal_that_ended_it_shows_in_the_code(bursard, runs):
    assert runs.end(bursard.grpc_addr, "ann", command=["sh", "-c", "kill -9 $$"])[0] == 137


def test_a_command_that_is_not_there(bursard, runs):
    code, _, err = runs.end(bursard.grpc_addr, "ann", command=["/nowhere/at-all"])
    assert code == NOT_FOUND and "/nowhere/at-all" in err
    assert runs.end(bursard.grpc_addr, "ann", command=["/etc/passwd"])[0] == NOT_EXECUTABLE


def test_the_command_knows_its_lease(bursard, runs):
    code, out, _ = runs.end(bursard.grpc_addr, "ann", "--id", "job-1",
                            command=["sh", "-c", 'echo "$BURSAR_REQUEST_ID $BURSAR_FENCE"; test -n "$BURSAR_LEASE"'])
    request_id, fence = out.split()
    assert code == 0 and request_id == "job-1" and int(fence) > 0


def test_the_second_waits_and_runs_when_the_first_has_ended(start_bursard, runs, tmp_path, until):
    addr = start_bursard(max_concurrent_agents=1).grpc_addr
    first = runs.start(addr, "ann", command=holder(tmp_path / "go"))
    assert read_line(first) == "started"
    second = runs.start(addr, "ben", command=["echo", "mine"])
    until(lambda: "waiting for a slot: position 1" in said(second))
    assert second.poll() is None
    (tmp_path / "go").touch()
    assert read_line(second) == "mine" and second.wait(30) == 0 and first.wait(30) == 0


def test_a_request_is_recorded_once_with_its_slot(bursard, bots, runs):
    runs.end(bursard.grpc_addr, "ann", command=["true"])
    assert bots.used("ann", "requests_per_day") == 1
    assert bots.status("ann").accounts[0].open_reservations == 0


def test_a_denial_runs_nothing(bursard, runs):
    for _ in range(3):
        assert runs.end(bursard.grpc_addr, "ann", command=["true"])[0] == 0
    code, out, err = runs.end(bursard.grpc_addr, "ann", command=["echo", "ran"])
    assert code == NO_SLOT and out == "" and "denied: request rate" in err


def test_it_waits_no_longer_than_it_was_told(start_bursard, runs, tmp_path):
    addr = start_bursard(max_concurrent_agents=1).grpc_addr
    first = runs.start(addr, "ann", command=holder(tmp_path / "go"))
    assert read_line(first) == "started"
    code, out, err = runs.end(addr, "ben", "--max-wait", "1s", command=["echo", "ran"])
    assert code == NO_SLOT and out == "" and "RESOURCE_EXHAUSTED" in err
    (tmp_path / "go").touch()
    assert first.wait(30) == 0


def test_a_signal_while_it_waits_gives_the_place_back(start_bursard, runs, tmp_path, until):
    addr = start_bursard(max_concurrent_agents=1).grpc_addr
    first = runs.start(addr, "ann", command=holder(tmp_path / "go"))
    assert read_line(first) == "started"
    second = runs.start(addr, "ben", command=["echo", "ran"])
    until(lambda: "waiting" in said(second))
    second.send_signal(signal.SIGINT)
    assert second.wait(30) == 130
    third = runs.start(addr, "cid", command=["echo", "third"])
    until(lambda: "position 1" in said(third))
    (tmp_path / "go").touch()
    assert read_line(third) == "third"


def test_a_signal_reaches_the_command(bursard, runs):
    process = runs.start(bursard.grpc_addr, "ann",
                         command=["sh", "-c", 'trap "echo bye; exit 5" TERM; echo started; while :; do sleep 0.05; done'])
    assert read_line(process) == "started"
    process.send_signal(signal.SIGTERM)
    assert read_line(process) == "bye" and process.wait(30) == 5


def test_strict_stops_a_command_whose_lease_may_be_lost(start_bursard, runs, tmp_path):
    server = start_bursard()
    process = runs.start(server.grpc_addr, "ann", "--strict", command=holder(tmp_path / "never"))
    assert read_line(process) == "started"
    server.kill()
    assert process.wait(60) == LOST and "the lease is lost" in said(process)


def test_without_strict_it_finds_its_lease_again(start_bursard, runs, tmp_path, until):
    server = start_bursard()
    process = runs.start(server.grpc_addr, "ann", command=holder(tmp_path / "go"))
    assert read_line(process) == "started"
    server.kill()
    until(lambda: "the lease lives on" in said(process))
    server.start()
    (tmp_path / "go").touch()
    assert process.wait(60) == 0


def test_no_server_is_said(runs):
    code, _, err = runs.end(f"127.0.0.1:{free_port()}", "ann", "--timeout", "1s", command=["echo", "ran"])
    assert code == FAILED and "cannot reach" in err


def test_a_missing_user_is_said(runs):
    process = subprocess.run([program("bursar"), "run", "--", "true"], text=True, capture_output=True, check=False,
                             timeout=60)
    assert process.returncode == FAILED and "--user is missing" in process.stderr
