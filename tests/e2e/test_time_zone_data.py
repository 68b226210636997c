"""The system's time zone data: it may be missing, come, be replaced and go while bursard runs, and nobody's checks fail for it."""
import datetime
import pathlib
import shutil

import grpc
import pytest

from harness import protos, until
from bots import Bots, fails_with

ZONEINFO = pathlib.Path("/usr/share/zoneinfo")
OK, WARN, FAIL = range(1, 4)
Code = grpc.StatusCode


class Data:
    """A folder that bursard reads instead of the system's."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def put(self, name, of=None, version="2025b"):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(ZONEINFO / (of or name), str(path) + ".new")
        pathlib.Path(str(path) + ".new").rename(path)
        (self.folder / "tzdata.zi").write_text(f"# version {version}\n")

    def clear(self):
        shutil.rmtree(self.folder)
        self.folder.mkdir()


@pytest.fixture
def data(tmp_path):
    return Data(tmp_path / "zoneinfo")


@pytest.fixture
def fleet(start_bursard, data):
    fleets = []

    def start():
        fleets.append(Bots(protos, start_bursard(env={"TZDIR": str(data.folder)}).grpc_addr))
        return fleets[-1]
    yield start
    for each in fleets:
        each.close()


def zones(bots):
    """What doctor says; it looks at the files first."""
    checks = bots.admin.Diagnose(protos.admin_pb2.DiagnoseRequest(), timeout=30).checks
    return next(check for check in checks if check.name == "time zones")


def limited(bots, **account):
    return bots.user_with(bots.calendar("day", "requests", 1000), **account)


def ends_at(bots, user):
    """The hour of the day (UTC) at which the user's day ends."""
    at = bots.figures(user)[bots.types.ACCOUNT_KIND_USER, "day"].resets_at_us
    return datetime.datetime.fromtimestamp(at / 1e6, datetime.timezone.utc).strftime("%H:%M")


def test_without_data_no_zone_can_be_put_and_every_check_is_answered(fleet, data):
    bots = fleet()
    user = limited(bots)
    error = fails_with(Code.FAILED_PRECONDITION, bots.account, user, time_zone="Asia/Tokyo")
    assert f"time_zone: the server has no time zone data in {data.folder}; install tzdata" in error.details()
    assert zones(bots).finding == WARN and str(data.folder) in zones(bots).found
    assert bots.check(user).allowed and bots.account(user, time_zone="UTC")
    data.put("Asia/Tokyo")
    bots.account(limited(bots), time_zone="Asia/Tokyo")
    assert zones(bots).finding == OK and "version 2025b" in zones(bots).found


def test_a_user_in_a_zone_is_answered_when_the_data_is_gone_and_after_a_restart_without_it(fleet, data):
    data.put("Asia/Tokyo")
    bots = fleet()
    user, fresh, later = [limited(bots, time_zone="Asia/Tokyo") for _ in range(3)]
    bots.record(bots.check(user), input_tokens=1)
    assert ends_at(bots, user) == ends_at(bots, fresh) == "15:00"
    data.clear()
    assert zones(bots).finding == WARN and ends_at(bots, user) == ends_at(bots, fresh) == "15:00"
    other = fleet()  # it never read the zone
    answer = other.check(user)
    assert answer.allowed and other.record(answer, input_tokens=1).cost is not None
    assert other.used(user, "day") == 2  # the running window goes on
    assert ends_at(other, later) == "00:00" and other.drained().ledger.requests == 2
    found = zones(other)
    assert found.finding == FAIL and str(data.folder) in found.found and "tzdata" in found.advice
    data.put("Europe/Berlin")
    found = zones(other)
    assert found.finding == WARN and "lacks 1 of the accounts' zones, such as Asia/Tokyo" in found.found
    data.put("Asia/Tokyo", version="2026a")
    assert zones(other).finding == OK and "version 2026a" in zones(other).found
    assert ends_at(other, later) == "15:00" and other.check(user).allowed and other.used(user, "day") == 3


def test_a_zone_that_the_system_replaces_is_read_again_without_a_restart(fleet, data):
    data.put("Asia/Tokyo")
    bots = fleet()
    user, fresh = [limited(bots, time_zone="Asia/Tokyo") for _ in range(2)]
    assert ends_at(bots, user) == "15:00"
    data.put("Asia/Tokyo", of="Asia/Kolkata")
    until(lambda: ends_at(bots, fresh) == "18:30", "the zone being read again")
