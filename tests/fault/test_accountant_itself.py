"""The accountant can fail: a history that is right has no findings, and each that was doctored has just the one that names it."""
import copy
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from accountant import plan as plans, verdict  # noqa: E402
from accountant.books import Books, Call, Fault, Loss, Request, Usage  # noqa: E402
from accountant.evidence import Evidence, Status  # noqa: E402
from accountant.faults import PATIENT  # noqa: E402
from accountant.ledger import Row, sums  # noqa: E402

SECOND = 1_000_000
NOON = 1_795_867_200 * SECOND  # 2026-11-28 12:00 UTC
LATER = NOON + 60 * SECOND
COST = 1000
USER = "a0-requests-a-day"  # 9 a day
LIMIT = plans.TIERS["requests-a-day"][0].amount


class History:
    """A run that went well: `asked` requests of one user, all recorded, all in the ledger."""

    def __init__(self, asked=3, user=USER, estimate=Usage(60, 40)):
        self.plan = plans.Plan(1, [plans.calendar("day", "requests", 50)])
        self.books, self.user, self.estimate = Books(), user, estimate
        self.rows = []
        for number in range(asked):
            self.request(number, NOON + number * SECOND)

    def request(self, number, at, recorded=True, **answer):
        request = self.books.open(Request(self.user, f"r{number}", "gpt-4o", "gpt-4o", "web", self.estimate, [self.estimate] * 2, 0))
        tier = self.plan.accounts["user", self.user].tier
        said = {"allowed": True, "quality": "EXACT", "state": "OPEN", "repeat": False, "started_at": at + 5, "cost": COST,
                "expires_at": at + 900 * SECOND, "tier": tier, "reason": "", **answer}
        request.calls.append(Call("check", 0, at, answered=at + 10, status="OK", answer=said))
        if recorded:
            request.calls.append(self.record(at + 20))
            self.rows.append(self.row(request.id, at + 5))
        return request

    def record(self, at, attempt=0, status="OK", **answer):
        said = {"cost": COST, "tokens": self.estimate.input + self.estimate.output, "repeat": False, "late": False, "state": "RECORDED",
                **answer}
        return Call("record", 0, at, attempt=attempt, answered=at + 10, status=status, answer=said if status == "OK" else {})

    def row(self, request_id, at, attempt=0, entry=0, requests=1):
        usage = self.estimate if entry == 0 else Usage(0, 0)
        return Row(self.user, request_id, attempt, entry, requests, usage.input, usage.output, COST if entry == 0 else 0, at,
                   self.plan.accounts["user", self.user].team, "gpt-4o", "web", self.plan.accounts["user", self.user].tier)

    def evidence(self):
        """Roll-ups and counters of the rows, as they would be."""
        found = Evidence(begin=NOON, end=LATER, rows=list(self.rows))
        team = self.plan.accounts["user", self.user].team
        found.daily = found.monthly = {self.user: sums(self.rows)} if self.rows else {}
        found.shared = {("tenant", plans.TENANT): sums(self.rows), ("tier", self.plan.accounts["user", self.user].tier): sums(self.rows)}
        if team:
            found.shared["team", team] = sums(self.rows)
        user = self.plan.accounts["user", self.user]
        figures = {limit.name: (sum(r.of(limit.dimension) for r in self.rows), 0) for limit in user.limits if limit.kind == "calendar"}
        found.status = {("user", self.user): Status(0, figures)}
        return found

    def kinds(self, evidence=None):
        return {finding.kind for finding in verdict.judge(self.plan, self.books, evidence or self.evidence())}

    def first(self):
        return self.books.requests[self.user, "r0"]


def test_what_went_well_has_no_findings():
    assert History().kinds() == set()
    assert History(LIMIT).kinds() == set()


def test_a_doubled_record_is_found():
    history = History()
    history.rows.append(copy.copy(history.rows[0]))
    assert history.kinds() == {"doubled", "counted-twice"}


def test_a_lost_record_is_found():
    history = History()
    del history.rows[1]
    assert history.kinds() == {"lost"}


def test_a_record_that_nobody_acknowledged_may_be_in_the_ledger_or_not():
    history = History()
    history.first().calls[1] = history.record(NOON + 20, status="UNAVAILABLE")
    history.books.faults.append(Fault("kill-redis", NOON, end=NOON + 1, healed=LATER))
    assert history.kinds() == set()
    del history.rows[0]
    assert history.kinds() == set()


def test_one_admission_too_many_is_found():
    assert History(LIMIT + 1).kinds() == {"over", "over-known"}


def test_admissions_at_the_same_time_are_found_too():
    history = History(0)
    for number in range(LIMIT + 1):
        history.request(number, NOON + number)  # nobody knew of the others when asking
    assert history.kinds() == {"over"}


@pytest.mark.parametrize("tier, kinds", [("tokens-a-day", {"over", "over-known"}), ("budget", {"over", "over-known"}),
                                         ("concurrent", {"over", "over-known"}), ("requests-a-minute", {"over-span"}),
                                         ("tokens-a-minute", {"over-span"}), ("nothing", {"over", "over-known"})])
def test_each_kind_of_limit_is_judged(tier, kinds):
    limit, history = plans.TIERS[tier][0], History(0, f"a0-{tier}", Usage(600, 400))
    each = {"requests": 1, "concurrent": 1, "tokens": 1000, "cost": COST}[limit.dimension]
    room = 5 if limit.dimension == "cost" else (limit.burst or limit.amount) // each
    if limit.dimension == "cost":
        history.plan.accounts["user", history.user] = tiny_budget(history, room * COST)
    for number in range(room):
        history.request(number, NOON + number * 1000, recorded=limit.kind != "level")
    assert history.kinds() == set()
    history.request(room, NOON + room * 1000, recorded=limit.kind != "level")
    assert history.kinds() == kinds


def tiny_budget(history, amount):
    account = history.plan.accounts["user", history.user]
    limits = (plans.calendar("day", "cost", amount),) + plans.COUNTERS
    return plans.Account(account.kind, account.id, limits, account.zone, account.tier, account.team)


@pytest.mark.parametrize("quality, kinds", [("PROVISIONAL", set()), ("EXACT", {"over-span"}), ("LOCAL", {"over-span"})])
def test_a_bucket_may_begin_full_only_where_a_loss_met_a_provisional_decision(quality, kinds):
    limit, history = plans.TIERS["requests-a-minute"][0], History(0, "a0-requests-a-minute")
    for number in range(limit.burst):
        history.request(number, NOON + number)
    rows = {key: {(0, 0)} for key in history.books.requests}
    history.books.losses.append(Loss(NOON + 1000, NOON + 1001, rows))
    history.request("after", NOON + 1100, recorded=False, allowed=False, quality=quality, reason="request_rate")
    history.request("more", NOON + 1200)
    assert history.kinds() & {"over-span"} == kinds


def test_a_bucket_gives_what_has_flowed_in_and_no_more():
    limit = plans.TIERS["requests-a-minute"][0]
    history = History(0, "a0-requests-a-minute")
    for number in range(limit.burst):
        history.request(number, NOON)
    one = limit.period_us // limit.amount
    history.request(98, NOON + one)
    assert history.kinds() == set()
    history.request(99, NOON + 2 * one - 1)
    assert history.kinds() == {"over-span"}


def test_what_was_given_back_may_be_used_again():
    history = History(LIMIT - 1)
    request = history.request(50, NOON + 20 * SECOND, recorded=False)
    request.calls.append(Call("cancel", 0, NOON + 21 * SECOND, answered=NOON + 21 * SECOND + 10, status="OK", answer={"repeat": False}))
    history.request(51, NOON + 22 * SECOND)
    assert history.kinds() == set()
    request.calls.pop()
    assert history.kinds() == {"over", "over-known"}


def test_records_without_a_check_count_against_the_next_exact_one():
    history = History(0)
    for number in range(LIMIT):
        request = history.request(number, NOON + number * SECOND)
        request.calls.pop(0)
    assert history.kinds() == set()
    history.request(99, NOON + 50 * SECOND)
    assert history.kinds() == {"over-known"}


def test_after_a_loss_only_what_the_ledger_did_not_have_is_excused():
    history = History(LIMIT)
    drained = {(history.user, f"r{n}"): {(0, 0)} for n in range(LIMIT)}
    history.books.losses.append(Loss(NOON + 30 * SECOND, NOON + 31 * SECOND, drained))
    history.request(98, NOON + 40 * SECOND)
    assert history.kinds() == {"over", "over-known"}
    del drained[history.user, "r0"]
    assert history.kinds() == set()
    del history.rows[0]
    assert history.kinds() == set()
    history.request(99, NOON + 41 * SECOND)
    assert history.kinds() == {"over", "over-known"}


def test_what_was_admitted_while_the_data_went_away_is_excused():
    history = History(LIMIT)
    last = history.books.requests[history.user, f"r{LIMIT - 1}"]
    asked = last.calls[0].asked
    drained = {(history.user, f"r{n}"): {(0, 0)} for n in range(LIMIT - 1)}
    history.books.losses.append(Loss(asked - 5, asked + 15, drained))
    history.request(98, asked + 16)
    assert history.kinds() == set()  # its record came when the other was there already
    history.request(99, asked + 100)
    assert history.kinds() == {"over", "over-known"}


def test_a_yes_that_holds_nothing_is_found():
    history = History()
    history.request(50, NOON + 20 * SECOND, recorded=False, state="CANCELLED", repeat=True)
    assert history.kinds() == {"holds-nothing", "no-repeat"}


def test_a_reservation_that_is_left_is_found():
    history = History()
    evidence = history.evidence()
    evidence.status["user", USER].open = 1
    assert history.kinds(evidence) == {"left-open"}


def test_counters_and_rollups_that_differ_are_found():
    history = History(user="a0-tokens-a-day")
    evidence = history.evidence()
    evidence.status["user", history.user].figures["day"] = (299, 0)
    assert history.kinds(evidence) == {"counter-differs"}
    evidence = history.evidence()
    evidence.daily = {history.user: (2, 2, 120, 80, 2 * COST)}
    assert history.kinds(evidence) == {"books-differ"}
    evidence = history.evidence()
    evidence.proof_equal = False
    assert history.kinds(evidence) == {"proof"}
    evidence = history.evidence()
    del evidence.shared["team", "team-1"]
    assert history.kinds(evidence) == {"books-differ"}


def test_a_cancelled_request_that_counts_is_found():
    history = History()
    request = history.request(50, NOON + 20 * SECOND, recorded=False)
    request.calls.append(Call("cancel", 0, NOON + 21 * SECOND, answered=NOON + 21 * SECOND + 10, status="OK", answer={"repeat": False}))
    history.rows.append(history.row("r50", NOON + 20 * SECOND, entry=1))
    assert history.kinds() == {"counted-though-cancelled"}


def test_rows_that_nobody_asked_for_are_found():
    history = History()
    history.rows.append(history.row("r77", NOON))
    assert history.kinds() == {"invented"}
    history = History()
    history.rows.append(history.row("r0", NOON, attempt=1, requests=0))
    assert history.kinds() == {"invented"}


def test_a_wrong_amount_is_found():
    history = History()
    history.first().calls[1].answer["cost"] += 1
    assert history.kinds() == {"wrong-amount"}


@pytest.mark.parametrize("fault, status, found", [
    (None, "UNAVAILABLE", True), (None, "DEADLINE_EXCEEDED", False), ("kill-redis", "UNAVAILABLE", False),
    ("kill-postgres", "UNAVAILABLE", False), ("drop-postgres-links", "UNAVAILABLE", True), ("stop-bursard", "CANCELLED", True),
    ("stop-bursard", "INTERNAL", True), ("kill-redis", "UNKNOWN", True)])
def test_failures_that_no_fault_explains_are_found(fault, status, found):
    history = History()
    if fault:
        history.books.faults.append(Fault(fault, NOON, end=NOON + 1, healed=LATER))
    call = history.record(NOON + 50, status=status)
    call.server = PATIENT if fault is None or "postgres" in fault else 0
    history.first().calls.append(call)
    assert history.kinds() == ({"status"} if found else set())


@pytest.mark.parametrize("kind", ["cancel", "renew"])
@pytest.mark.parametrize("status", ["NOT_FOUND", "FAILED_PRECONDITION"])
def test_a_reservation_that_is_not_to_be_found_is_found(kind, status):
    history = History()
    request = history.request(50, NOON + 20 * SECOND, recorded=False)
    request.calls.append(Call(kind, 0, NOON + 21 * SECOND, answered=NOON + 21 * SECOND + 10, status=status))
    assert history.kinds() == {"status"}
    request.calls[0].answer["quality"] = "LOCAL"  # there never was one
    assert history.kinds() == set()


def test_a_suspended_user_who_is_allowed_and_another_tier_are_found():
    assert History(1, "a0-suspended").kinds() == {"stranger"}
    history = History()
    history.first().calls[0].answer["tier"] = "free"
    assert history.kinds() == {"stranger"}


def test_a_first_try_that_is_called_a_repeat_is_found():
    history = History()
    history.first().calls[1].answer["repeat"] = True
    assert history.kinds() == {"no-repeat"}


def test_one_id_that_is_held_twice_is_found():
    history = History()
    request = history.request(50, NOON + 20 * SECOND, recorded=False)
    second = copy.deepcopy(request.calls[0])
    second.asked, second.answered = NOON + 21 * SECOND, NOON + 21 * SECOND + 10
    second.answer["started_at"] = NOON + 21 * SECOND + 5
    request.calls.append(second)
    assert history.kinds() == {"admitted-twice"}


def test_what_is_told_of_a_finding_names_the_request_and_its_rows():
    history = History()
    del history.rows[1]
    findings = verdict.judge(history.plan, history.books, history.evidence())
    told = verdict.report(history.books, history.evidence(), findings, 7)
    assert "seed 7" in told and f"{USER} r1" in told and "record attempt 0 OK" in told and "ledger: nothing" in told


def test_memory_may_deny_but_neither_allow_nor_deny_what_holds():
    history = History()
    new = history.request("new", NOON + 900, recorded=False, allowed=False, quality="REMEMBERED", reason="request_rate")
    assert history.kinds() == set()
    history.rows.append(history.row(new.id, NOON + 905))
    assert "counted-though-denied" in history.kinds()
    history = History()
    history.request("yes", NOON + 900, recorded=False, quality="REMEMBERED")
    assert history.kinds() == {"remembered"}
    history = History()
    held = history.request("held", NOON + 900, recorded=False)
    for late, kinds in ((SECOND // 2, set()), (2 * SECOND, {"remembered"})):
        held.calls.append(Call("check", 0, NOON + 900 + late, answered=NOON + 910 + late, status="OK",
                               answer={**held.calls[0].answer, "allowed": False, "quality": "REMEMBERED"}))
        assert history.kinds() == kinds
