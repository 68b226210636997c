"""Whatever happens, the books close: EXACT is never over a limit, nothing acknowledged is lost or doubled, ledger, roll-ups and counters
are one number, and no reservation is left. BURSAR_SEED plays a run again, BURSAR_ACCOUNTANT_FAULTS makes it shorter or longer."""
import os
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from accountant import callers, faults, verdict  # noqa: E402
from accountant.run import close_books, seed  # noqa: E402

COUNT = int(os.environ.get("BURSAR_ACCOUNTANT_FAULTS", "60"))


@pytest.mark.patience(1800)
def test_the_books_close_whatever_happens():
    findings = close_books(seed(), COUNT, losses=2)
    assert not findings, verdict.summary(findings)


@pytest.mark.patience(1800)
def test_stalls_leave_nothing_held():
    """Nobody is killed, so nobody is excused: what a caller gave up is given back long before it would expire after 15 minutes. But for
    answers that had left when bursard read that nobody waits (docs/reliability.md, What is not promised)."""
    scripts = {name: weight for name, weight in callers.SCRIPTS.items() if name != "abandon"}
    findings = close_books(seed(), COUNT // 3, acts=3, kinds=faults.STALLS, ttl_us=0, scripts=scripts, unread_may_stay=True)
    assert not findings, verdict.summary(findings)


@pytest.mark.long
@pytest.mark.patience(7200)
def test_the_books_close_for_an_hour():
    """One run after the other, each with a seed of its own: the first that fails is printed with it."""
    end, number = time.monotonic() + 3600, seed() * 1000
    while time.monotonic() < end:
        number += 1
        findings = close_books(number, COUNT, losses=2 * (number % 2))
        assert not findings, f"seed {number}: {verdict.summary(findings)}"


@pytest.mark.long
@pytest.mark.patience(1800)
@pytest.mark.parametrize("fault", faults.FAULTS + faults.LOSSES, ids=lambda fault: fault.__name__.replace("_", "-"))
def test_each_fault_alone(fault):
    """The rows of docs/reliability.md."""
    findings = close_books(seed(), 8, acts=4, kinds=[fault])
    assert not findings, verdict.summary(findings)
