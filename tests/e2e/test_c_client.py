"""libbursar's renewer and spool against a real bursard: a bot in C (tests/harness/client_tool.c) is killed, and loses and keeps nothing."""
import pathlib
import resource
import shutil
import signal
import subprocess

import pytest
from google.protobuf import json_format

from harness import protos, until
from harness.paths import build

EXPLICIT = 2
SECOND_US = 1_000_000


class Bot:
    """Does what a line says, and answers with a line."""

    def __init__(self, address, folder, orphan_us, preexec=None):
        self.process = subprocess.Popen([build() / "tests" / "client_tool", address, folder, str(orphan_us)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=preexec)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the bot ended at {words}"
        return answer.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=120) == 0


@pytest.fixture
def start_bot(bursard, tmp_path):
    """start_bot(): a bot with the test's folder. Those that were not killed must end well."""
    started = []

    def start(folder="spool", orphan_us=60 * SECOND_US, preexec=None):
        started.append(Bot(bursard.grpc_addr, tmp_path / folder, orphan_us, preexec))
        return started[-1]

    yield start
    for bot in started:
        if bot.process.poll() is None:
            bot.end()


@pytest.fixture
def user(bots):
    return bots.user_with(bots.calendar("tokens", "tokens", 1_000_000), bots.calendar("requests", "requests", 1000))


def files(tmp_path, ending, folder="spool"):
    return sorted(path for path in (tmp_path / folder).iterdir() if path.name.endswith(ending) and not path.name.startswith("."))


def held(bots, user):
    return sum(figure.held for figure in bots.figures(user).values())


def used(bots, user):
    """Without what is held."""
    figure = bots.figures(user)[bots.types.ACCOUNT_KIND_USER, "tokens"]
    return figure.used - figure.held


def is_charged(bots, user, tokens):
    """Waits for a server that was away."""
    until(lambda: not held(bots, user), "the end of the reservations", timeout=120)
    assert used(bots, user) == tokens


# -- renewals

def test_a_living_bots_reservation_is_renewed_while_it_calls_nothing_and_a_killed_ones_is_free_again_soon(bots, bursard, start_bot, user):
    bot = start_bot(orphan_us=4 * SECOND_US)
    assert bot("check", user)
    until(lambda: bursard.metric("renewals_total") >= 3, "the third renewal", timeout=120)
    assert held(bots, user)
    bot.kill()
    until(lambda: not held(bots, user), "the end of the reservation", timeout=120)


def test_a_recorded_reservation_is_not_renewed(bots, bursard, start_bot, user):
    bot = start_bot(orphan_us=4 * SECOND_US)
    first, _ = bot("check", user), bot("check", user)
    assert bot("record", first, 7) == "answered 7 once"
    before = bursard.metric("renewals_total")
    until(lambda: bursard.metric("renewals_total") >= before + 2, "the other's renewals", timeout=120)
    assert bot("lost", 0) == ""
    assert used(bots, user) == 7


def test_a_reservation_that_somebody_else_ended_is_told(bots, start_bot, user):
    bot = start_bot(orphan_us=4 * SECOND_US)
    handle = bot("check", user)
    bots.cancel(ref=bots.types.ReservationRef(handle=handle))
    assert bot("lost", 120) == f"{handle} FAILED_PRECONDITION"
    assert bot("lost", 0) == ""


def test_a_lease_is_renewed_beyond_its_time_and_told_when_it_is_lost(bots, start_bot, user):
    bots.admin.PutPool(bots.admin_pb.PutPoolRequest(ref=bots.admin_pb.PoolRef(tenant=bots.tenant, name=""), lease_us=9 * SECOND_US), timeout=10)
    request = bots.limiter_pb.AcquireRequest(check=bots.request(user), mode=EXPLICIT)
    granted = [answer.granted for answer in bots.limiter.Acquire(request, timeout=60) if answer.HasField("granted")][0]
    bot = start_bot()
    assert bot("lease", granted.lease, granted.lease_us) == "added"
    until(lambda: bots.status(user).now_us > granted.expires_at_us + SECOND_US, "the end of a lease that nobody renews", timeout=120)
    assert bot("lost", 0) == ""
    released = bots.limiter.Release(bots.limiter_pb.ReleaseRequest(lease=granted.lease), timeout=10)
    assert not released.repeat and released.held_us > granted.lease_us
    assert bot("lost", 120) in (f"{granted.lease} FAILED_PRECONDITION", f"{granted.lease} NOT_FOUND")


def test_a_bot_whose_server_is_away_for_too_long_is_told(bursard, start_bot, user):
    bot = start_bot(orphan_us=2 * SECOND_US)
    handle = bot("check", user)
    bursard.stop()
    assert bot("lost", 120) == f"{handle} UNAVAILABLE"
    bursard.start()


def test_a_bot_that_ends_leaves_its_reservation_to_those_who_may_record_it(bots, start_bot, user):
    bot = start_bot(orphan_us=4 * SECOND_US)
    handle = bot("check", user)
    bot.end()
    left = bots.admin.GetReservation(bots.admin_pb.GetReservationRequest(reservation=bots.types.ReservationRef(handle=handle)), timeout=10)
    assert left.expires_at_us - left.started_at_us > 14 * 60 * SECOND_US


# -- records on disk

def test_a_record_of_a_bot_that_is_killed_before_the_server_answers_is_charged_once(bots, bursard, start_bot, tmp_path, user):
    bot = start_bot()
    handle = bot("check", user)
    bursard.signal(signal.SIGSTOP)
    try:
        assert bot("send", handle, 7) == "sent"
        [left] = files(tmp_path, ".batch")
        bot.kill()
    finally:
        bursard.signal(signal.SIGCONT)
    shutil.copy(left, tmp_path / "copy")
    assert start_bot()("drain", 120) == "0"
    assert not list((tmp_path / "spool").iterdir())
    assert used(bots, user) == 7 and not held(bots, user)
    # Once more, as if the bot had been killed between the answer and the removal of the file.
    shutil.copy(tmp_path / "copy", left)
    assert start_bot()("drain", 120) == "0"
    assert used(bots, user) == 7
    assert not list((tmp_path / "spool").iterdir())


def test_records_wait_while_bursard_restarts_also_those_of_a_bot_that_is_killed_meanwhile(bots, bursard, start_bot, tmp_path, user):
    bot = start_bot()
    handles = [bot("check", user) for _ in range(3)]
    bursard.stop()
    assert [bot("record", handle, 7) for handle in handles] == ["kept"] * 3
    assert len(files(tmp_path, ".json")) == 3 and not files(tmp_path, ".batch")
    bot.kill()
    bursard.start()
    assert start_bot()("drain", 120) == "0"
    is_charged(bots, user, 21)


def test_two_bots_share_a_folder_and_each_record_is_charged_once(bots, bursard, start_bot, tmp_path, user):
    bots_in_c = [start_bot(), start_bot()]
    handles = [(bot, bot("check", user)) for bot in bots_in_c for _ in range(5)]
    bursard.stop()
    assert {bot("record", handle, 7) for bot, handle in handles} == {"kept"}
    bursard.start()
    for bot in bots_in_c:
        bot.process.stdin.write("drain 120\n")
        bot.process.stdin.flush()
    assert [bot.process.stdout.readline() for bot in bots_in_c] == ["0\n", "0\n"]
    is_charged(bots, user, 70)
    assert not list((tmp_path / "spool").iterdir())
    assert [bot("problems") for bot in bots_in_c] == ["", ""]


def test_a_full_disk_is_told_and_a_record_is_sent_all_the_same_or_refused(bots, bursard, start_bot, tmp_path, user):
    bot = start_bot(preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    first, second = bot("check", user), bot("check", user)
    assert bot("record", first, 7) == "answered 7 once"
    assert bot("problems") == "SPOOL_FAILED"
    bursard.stop()
    assert bot("record", second, 7) == "failed UNAVAILABLE SPOOL_FAILED"
    bursard.start()
    assert not list((tmp_path / "spool").iterdir())
    until(lambda: used(bots, user) == 7, "the charge of the first record", timeout=120)


def test_a_folder_that_cannot_be_is_refused_at_the_start(start_bot, tmp_path):
    (tmp_path / "file").write_text("")
    bot = start_bot(folder="file")
    assert bot.process.wait(timeout=60) == 1


def test_the_files_are_those_of_the_clients_in_other_languages(bots, bursard, start_bot, tmp_path, user):
    pb = protos.limiter_pb2
    bot = start_bot()
    handle = bot("check", user)
    bursard.stop()
    assert bot("record", handle, 7) == "kept"
    [kept] = files(tmp_path, ".json")
    record = json_format.Parse(kept.read_bytes(), pb.RecordRequest())  # as the client in Python does
    assert (record.reservation.handle, record.usage.input_tokens) == (handle, 7)
    assert json_format.Parse(json_format.MessageToJson(record), pb.RecordRequest()) == record
    assert pathlib.Path(kept).stat().st_mode & 0o777 == 0o600
    bot.kill()
    kept.unlink()
    # And what that one leaves.
    record.keep_open = True
    (tmp_path / "spool" / "0000000000000001-id-0.json").write_text(json_format.MessageToJson(record, indent=None))
    record.attempt, record.keep_open = 1, False
    batch = pb.RecordBatchRequest(items=[record]).SerializeToString()
    (tmp_path / "spool" / "0000000000000002-0a0b0c0d-0.batch").write_bytes(batch)
    bursard.start()
    assert start_bot()("drain", 120) == "0"
    is_charged(bots, user, 14)
