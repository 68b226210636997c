"""Reports add up: ledger rows, roll-ups and counters are the same number, and the proof says when they are not."""
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


def test_the_proof_fails_when_the_ledger_is_corrupted(bots, stack):
    own = fleet(bots)
    traffic(own, users=2)
    assert own.drained().equal
    with stack.sql() as sql:
        sql.execute("UPDATE ledger SET cost_nano = cost_nano + 1 WHERE tenant = %s AND ctid = (SELECT min(ctid) FROM ledger WHERE tenant = %s)",
                    (own.tenant, own.tenant))
    assert not own.proof().equal


def test_the_proof_fails_when_a_roll_up_is_corrupted(bots, stack):
    own = fleet(bots)
    traffic(own, users=2)
    assert own.drained().equal
    with stack.sql() as sql:
        sql.execute("UPDATE usage_daily SET requests = requests + 1 WHERE tenant = %s AND ctid = (SELECT min(ctid) FROM usage_daily WHERE tenant = %s)",
                    (own.tenant, own.tenant))
    assert not own.proof().equal


def test_the_proof_fails_when_the_roll_up_of_the_whole_tenant_is_corrupted(bots, stack):
    own = fleet(bots)
    traffic(own, users=2)
    assert own.drained().equal
    with stack.sql() as sql:
        sql.execute("DELETE FROM usage_shared_daily WHERE tenant = %s AND kind = 5 AND interface = 'web'", (own.tenant,))
    proof = own.proof()
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
