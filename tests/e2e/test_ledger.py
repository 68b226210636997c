"""Reports add up: ledger rows, roll-ups and counters are the same number, and the proof says when they are not."""
import pytest

from bots import unique


def fleet(bots):
    return type(bots)(bots.stubs, bots.address, unique("tenant"))


def traffic(bots, users=5, requests=8):
    names = [unique("user") for _ in range(users)]
    for user in names:
        bots.account(user, tier="enterprise")
        for i in range(requests):
            answer = bots.check(user, model=["gpt-4o", "claude-sonnet-4-5"][i % 2], input_tokens=100, max_output_tokens=100,
                                interface=["telegram", "web"][i % 2])
            if i % 4 == 3:
                bots.cancel(answer)
            else:
                bots.record(answer, input_tokens=90 + i, output_tokens=10 * i)
    return names


def test_the_three_sums_agree(bots):
    own = fleet(bots)
    traffic(own)
    proof = own.drained()
    assert proof.equal, proof
    assert proof.ledger.requests == proof.rollups.requests == proof.counters.requests == 5 * 6
    assert proof.ledger.cost_nano_usd == proof.rollups.cost_nano_usd == proof.counters.cost_nano_usd > 0


def test_a_reset_and_another_zone_are_no_difference(bots):
    own = fleet(bots)
    reset, moved, narrow, _ = names = traffic(own, users=4)
    own.tier("narrow", own.calendar("requests_per_day", "requests", 1000), own.calendar("web", "requests", 1000, "MONTH", interface="web"))
    own.admin.SetTier(own.admin_pb.SetTierRequest(ref=own.key(narrow), tier="narrow"), timeout=10)
    own.admin.PutAccount(own.admin_pb.PutAccountRequest(ref=own.key(moved), time_zone="Pacific/Kiritimati"), timeout=10)
    assert own.drained().equal
    own.admin.Reset(own.admin_pb.ResetRequest(ref=own.key(reset), reason="ours"), timeout=10)
    own.record(own.check(reset, model="gpt-4o", input_tokens=10), input_tokens=10)
    own.record(own.check(moved, model="gpt-4o", input_tokens=10), input_tokens=10)
    proof = own.drained()
    assert proof.equal and not proof.differing, proof
    assert proof.ledger.requests == 6 * len(names) + 2
    assert proof.counters.requests == proof.windows.requests == 1 + 7 + 6 and proof.counters.rows == 3


def test_a_counter_that_is_not_as_the_ledger_has_it_is_named(bots, stack):
    own = fleet(bots)
    names = traffic(own, users=2)
    assert own.drained().equal
    with stack.sql() as sql:
        sql.execute("UPDATE usage_windows SET requests = requests + 3 WHERE tenant = %s AND kind = 1 AND id = %s AND unit = 0 AND ctid = "
                    "(SELECT min(ctid) FROM usage_windows WHERE tenant = %s AND kind = 1 AND id = %s AND unit = 0)",
                    (own.tenant, names[0], own.tenant, names[0]))
    proof = own.proof()
    assert not proof.equal and proof.ledger.requests == proof.rollups.requests == proof.counters.requests
    assert [(d.ref.id, d.limit, d.counted, d.ledger) for d in proof.differences] == [(names[0], "requests_per_day", 6, 9)]


def test_every_one_of_many_users_is_looked_at(bots, stack):
    """Many are looked at together; the differences come in the order of the users all the same."""
    own = fleet(bots)
    names = sorted(traffic(own, users=70, requests=1))
    wrong = names[:3] + names[40:43] + names[-1:]
    assert own.drained().counters.rows == len(names)
    with stack.sql() as sql:
        sql.execute("UPDATE usage_windows SET requests = requests + 1 WHERE tenant = %s AND kind = 1 AND id = ANY (%s) AND unit = 0",
                    (own.tenant, wrong))
    proof = own.proof()
    assert [(d.ref.id, d.limit) for d in proof.differences] == [(name, "requests_per_day") for name in wrong]
    assert proof.differing == len(wrong) and proof.counters.requests == proof.windows.requests == proof.ledger.requests == len(names)


def proof_after(bots, stack, damage):
    """The proof of a tenant of whom everything was in the ledger, and then `damage` was done; its parameter is the tenant."""
    own = fleet(bots)
    traffic(own, users=2)
    assert own.drained().equal
    with stack.sql() as sql:
        sql.execute(damage, {"tenant": own.tenant})
    return own.proof()


@pytest.mark.parametrize("damage", [
    "UPDATE ledger SET cost_nano = cost_nano + 1 WHERE tenant = %(tenant)s AND ctid = (SELECT min(ctid) FROM ledger WHERE tenant = %(tenant)s)",
    "UPDATE usage_daily SET requests = requests + 1 WHERE tenant = %(tenant)s AND ctid = "
    "(SELECT min(ctid) FROM usage_daily WHERE tenant = %(tenant)s)",
], ids=["ledger", "roll-up"])
def test_the_proof_fails_when_the_ledger_or_a_roll_up_is_corrupted(bots, stack, damage):
    assert not proof_after(bots, stack, damage).equal


def test_the_proof_fails_when_the_roll_up_of_the_whole_tenant_is_corrupted(bots, stack):
    proof = proof_after(bots, stack, "DELETE FROM usage_shared_daily WHERE tenant = %(tenant)s AND kind = 5 AND interface = 'web'")
    assert not proof.equal and proof.shared.cost_nano_usd < proof.rollups.cost_nano_usd == proof.ledger.cost_nano_usd


def test_the_proof_fails_when_a_counter_is_lost(bots, stack):
    own = fleet(bots)
    names = traffic(own, users=2)
    assert own.drained().equal
    with stack.sql() as sql:  # what seeding would read
        sql.execute("UPDATE usage_windows SET requests = requests - 1 WHERE tenant = %s", (own.tenant,))
    for key in stack.redis.scan_iter(match="b:{p*}:a:u:*"):
        if key.endswith(b"/" + names[0].encode()):
            stack.redis.delete(key)
    assert not own.proof().equal


def test_the_monthly_report_and_the_stats_say_what_the_ledger_says(bots):
    own = fleet(bots)
    names = traffic(own)
    proof = own.drained()
    report = own.admin.GetMonthlyReport(own.admin_pb.GetMonthlyReportRequest(
        ref=own.admin_pb.AccountRef(tenant=own.tenant, kind=own.types.ACCOUNT_KIND_TENANT, id=own.tenant)), timeout=10)
    assert report.total.cost_nano_usd == proof.ledger.cost_nano_usd == sum(line.cost_nano_usd for line in report.lines)
    one = own.admin.GetMonthlyReport(own.admin_pb.GetMonthlyReportRequest(ref=own.key(names[0])), timeout=10)
    assert one.total.requests == 6
    stats = own.admin.GetStats(own.admin_pb.GetStatsRequest(tenant=own.tenant), timeout=10)
    assert stats.total.cost_nano_usd == proof.ledger.cost_nano_usd
    assert {t.tier: t.accounts for t in stats.accounts_by_tier}["enterprise"] == 5
    assert len(stats.top_users) == 5 and {m.name for m in stats.by_interface} == {"telegram", "web"}


def test_a_poisoned_entry_goes_to_the_rejects_and_blocks_nobody(bots, stack, until):
    own = fleet(bots)
    stack.redis.xadd("b:{p7}:out", {"e": b"rubbish"})
    traffic(own, users=2)
    assert own.drained().equal
    with stack.sql() as sql:
        sql.execute("SELECT count(*) FROM ledger_rejects")
        assert sql.fetchone()[0] >= 1
