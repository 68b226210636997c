"""bursar run: any command under a slot of a pool. A pool's size is the option max_concurrent_agents of its bursard."""
import fcntl
import os
import pty
import signal
import subprocess
import termios

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
        for number in alive(self.folder / "ids"):
            os.kill(int(number), signal.SIGKILL)
        for process in self.started:
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


@pytest.fixture
def held(start_bursard, runs, tmp_path):
    """The address of a bursard whose only slot is held, and the command that holds it until tmp_path / "go" is there."""
    addr = start_bursard(max_concurrent_agents=1).grpc_addr
    first = runs.start(addr, "ann", command=holder(tmp_path / "go"))
    assert read_line(first) == "started"
    return addr, first


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


def test_the_second_waits_and_runs_when_the_first_has_ended(held, runs, tmp_path, until):
    addr, first = held
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


def test_it_waits_no_longer_than_it_was_told(held, runs, tmp_path):
    addr, first = held
    code, out, err = runs.end(addr, "ben", "--max-wait", "1s", command=["echo", "ran"])
    assert code == NO_SLOT and out == "" and "RESOURCE_EXHAUSTED" in err
    (tmp_path / "go").touch()
    assert first.wait(30) == 0


def test_a_signal_while_it_waits_gives_the_place_back(held, runs, tmp_path, until):
    addr, _ = held
    second = runs.start(addr, "ben", command=["echo", "ran"])
    until(lambda: "waiting" in said(second))
    second.send_signal(signal.SIGINT)
    assert second.wait(30) == 130
    third = runs.start(addr, "cid", command=["echo", "third"])
    until(lambda: "position 1" in said(third))
    (tmp_path / "go").touch()
    assert read_line(third) == "third"


@pytest.mark.parametrize("name", ["TERM", "HUP"])  # HUP: the terminal is gone
def test_a_signal_reaches_the_command(bursard, runs, name):
    process = runs.start(bursard.grpc_addr, "ann",
                         command=["sh", "-c", f'trap "echo bye; exit 5" {name}; echo started; while :; do sleep 0.05; done'])
    assert read_line(process) == "started"
    process.send_signal(signal.Signals["SIG" + name])
    assert read_line(process) == "bye" and process.wait(30) == 5


def family(path):
    """A command with a child in its process group and one in a session of its own, which hold on for ever; their ids go to the file."""
    long = 'while :; do sleep 60; done'
    return ["sh", "-c", f'sh -c "{long}" & echo $! >>{path}; setsid sh -c "{long}" & echo $! >>{path}; echo $$ >>{path}; '
            'echo started; wait']


def gone(path):
    """A command that says which of the family are still there."""
    return ["sh", "-c", f'for id in $(cat {path}); do kill -0 $id 2>/dev/null && echo $id lives; done; echo mine']


def worker_of(process):
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as children:
        return int(children.read())


def alive(path):
    def is_there(number):
        try:
            with open(f"/proc/{number}/stat", encoding="ascii") as stat:
                return stat.read().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False
    return [number for number in path.read_text().split() if is_there(number)] if path.exists() else []


@pytest.mark.parametrize("options", [[], ["--strict"]], ids=["", "strict"])
def test_killed_it_keeps_its_slot_until_the_command_and_all_its_children_are_gone(start_bursard, runs, tmp_path, until, options):
    addr = start_bursard(max_concurrent_agents=1).grpc_addr
    first = runs.start(addr, "ann", *options, command=family(tmp_path / "ids"))
    assert read_line(first) == "started"
    second = runs.start(addr, "ben", command=gone(tmp_path / "ids"))
    until(lambda: "waiting for a slot: position 1" in said(second))
    first.kill()
    assert second.communicate(timeout=60)[0] == "mine\n"


def test_killed_while_it_waits_it_gives_its_place_back(held, runs, tmp_path, until):
    addr, _ = held
    second = runs.start(addr, "ben", command=["touch", str(tmp_path / "ran")])
    until(lambda: "waiting" in said(second))
    second.kill()
    second.communicate(timeout=60)  # until its worker has ended too
    third = runs.start(addr, "cid", command=["echo", "third"])
    until(lambda: "position 1" in said(third))
    (tmp_path / "go").touch()
    assert read_line(third) == "third" and not (tmp_path / "ran").exists()


def test_when_its_worker_is_killed_the_command_and_all_its_children_end(bursard, runs, tmp_path):
    process = runs.start(bursard.grpc_addr, "ann", command=family(tmp_path / "ids"))
    assert read_line(process) == "started"
    os.kill(worker_of(process), signal.SIGKILL)
    assert process.wait(60) == 128 + signal.SIGKILL
    assert alive(tmp_path / "ids") == []


def test_when_all_of_it_is_killed_at_once_the_command_ends(bursard, runs, tmp_path, until):
    command = ["sh", "-c", f'echo $$ >{tmp_path / "ids"}; echo started; while :; do sleep 0.05; done']
    process = runs.start(bursard.grpc_addr, "ann", command=command)
    assert read_line(process) == "started"
    worker = worker_of(process)
    process.send_signal(signal.SIGSTOP)  # it cannot see to it
    os.kill(worker, signal.SIGKILL)
    process.kill()
    until(lambda: alive(tmp_path / "ids") == [])


def test_a_signal_that_was_ignored_stays_so(bursard, tmp_path):
    """As nohup has it."""
    command = [program("bursar"), "run", "--user", "ann", "--", "sh", "-c",
               f'echo started; while [ ! -e "{tmp_path / "go"}" ]; do sleep 0.05; done; kill -HUP $$; echo lives']
    with subprocess.Popen(["nohup", *command], env={**os.environ, "BURSAR_ADDR": bursard.grpc_addr}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert read_line(process) == "started"
        process.send_signal(signal.SIGHUP)
        (tmp_path / "go").touch()
        assert process.communicate(timeout=60)[0] == "lives\n" and process.returncode == 0


def test_what_is_typed_at_the_terminal_reaches_the_command_once(bursard, tmp_path):
    here, there = pty.openpty()
    command = ["sh", "-c", f'trap "echo told" INT; echo started; while [ ! -e "{tmp_path / "go"}" ]; do sleep 0.05; done; echo end']
    with subprocess.Popen([program("bursar"), "run", "--user", "ann", "--", *command], stdin=there, stdout=there, stderr=there,
                          start_new_session=True, preexec_fn=lambda: fcntl.ioctl(there, termios.TIOCSCTTY, 0),
                          env={**os.environ, "BURSAR_ADDR": bursard.grpc_addr}) as process:
        os.close(there)
        read_until(here, "started")
        os.write(here, b"\x03")
        read_until(here, "told")
        (tmp_path / "go").touch()
        assert "told" not in read_until(here, "end")
        assert process.wait(60) == 0
    os.close(here)


def read_until(terminal, text):
    seen = ""
    while text not in seen:
        seen += os.read(terminal, 4096).decode()
    return seen.partition(text)[0]


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
    until(lambda: "the lease is valid for a while" in said(process))
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
