"""Accounts changed a second by one ChangeAccounts, beside SetTier of each with 64 in flight; and with checks going on."""
import itertools
import statistics
import time

from measuring.figures import column, interleave, ratio, spread, table

IN_FLIGHT = 64
CHECKS_A_SECOND = 1000


def fill(bench, server, count):
    """So many accounts, each with a record in Redis."""
    server.database.execute("INSERT INTO accounts (tenant, kind, id, tier) "
                            f"SELECT 'default', 1, 'user-' || i, 'free' FROM generate_series(0, {count - 1}) i")
    server.database.execute("ANALYZE accounts")
    bench.load(server.grpc_addr, calls=count // 500, batch=500, in_flight=8, users=10**9)


def set_each(bots, count, tier):
    """Accounts a second, one call for each."""
    pb, begun, calls = bots.admin_pb, time.perf_counter(), []
    for i in range(count):
        calls.append(bots.admin.SetTier.future(pb.SetTierRequest(ref=bots.key(f"user-{i}"), tier=tier)))
        if len(calls) == IN_FLIGHT:
            calls.pop(0).result()
    for call in calls:
        call.result()
    return count / (time.perf_counter() - begun)


def change_all(bots, tier):
    """Accounts a second of one call, and the milliseconds of its chunks."""
    pb, begun = bots.admin_pb, time.perf_counter()
    wanted = pb.AccountChange(action="ACCOUNT_ACTION_SET_TIER", tier=tier)
    gaps, last, told = [], begun, None
    for told in bots.admin.ChangeAccounts(pb.ChangeAccountsRequest(filter=pb.AccountFilter(), change=wanted)):
        now = time.perf_counter()
        gaps.append((now - last) * 1e3)
        last = now
    assert told.changed == told.matched and told.pending == 0, told
    gaps.sort()
    return {"accounts": told.changed / (last - begun), "chunk p50": statistics.median(gaps), "chunk p99": gaps[len(gaps) * 99 // 100]}


def run(bench):
    count, each, tiers = bench.scaled(100_000), bench.scaled(5000), itertools.cycle(("pro", "enterprise", "free"))
    calls = {"calls": bench.scaled(10_000), "rate": CHECKS_A_SECOND, "poisson": True}
    with bench.bursard(new_users_per_minute=10**8) as (server, _):
        bots = bench.bots(server)
        fill(bench, server, count)

        def beside_checks(seed):
            load = bench.start("open_loop", addr=server.grpc_addr, seed=seed, **calls)
            changed = change_all(bots, next(tiers))
            return {**changed, **bench.finish(load)["latency_us"]}

        found = interleave(bench.rounds, {
            "each": lambda _: {"accounts": set_each(bots, each, next(tiers))},
            "all": lambda _: change_all(bots, next(tiers)),
            "checks": lambda seed: bench.finish(bench.start("open_loop", addr=server.grpc_addr, seed=seed, **calls))["latency_us"],
            "both": beside_checks,
        })
        bots.close()
    one_by_one, at_once, both = (column(found[side], "accounts") for side in ("each", "all", "both"))
    rows = [("SetTier of each account, 64 in flight, accounts a second", spread(one_by_one, 0)),
            (f"ChangeAccounts of {count:,}, accounts a second", spread(at_once, 0)),
            ("**ChangeAccounts / SetTier**", ratio(at_once, one_by_one, 1)),
            *((f"a chunk of 500 (commit, Redis, confirmation), {name}, ms", spread(column(found["all"], f"chunk {name}"))) for name in ("p50", "p99")),
            ("ChangeAccounts beside 1,000 checks a second", spread(both, 0))]
    for side, what in (("checks", "nothing"), ("both", "ChangeAccounts")):
        rows += [(f"check at 1,000/s, {what} beside it, {name}, µs", spread(column(found[side], name), 0)) for name in ("p50", "p99")]
    table("Many accounts at once", "bulk", rows)
