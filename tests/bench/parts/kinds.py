"""CPU of bursard and Redis for a check that is denied and for the first one of a user, beside one of a known user that is allowed."""
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_us

USERS = 1000


def run(bench):
    calls = bench.scaled(30_000)
    with bench.bursard(new_users_per_minute=10**8) as (server, redis):
        pids = {"server": server.pid, "Redis": redis.pid}

        def side(outcome, **load):
            said = {}

            def work():
                said.update(bench.load(server.grpc_addr, calls=calls, in_flight=100, **load))

            used = cpu_us(pids, calls, work)
            assert said[outcome] == calls, said
            return {**used, "both": sum(used.values())}

        bench.wide_tier(server)
        bench.wide_tier(server, "spent", requests_a_day=1)
        for tenant in ("default", "spent"):  # all are known then, and all of one tenant denied until tomorrow
            bench.load(server.grpc_addr, calls=USERS, users=USERS, tenant=tenant, record=True)
            bots = bench.bots(server, tenant)
            bots.drained(120)
            bots.close()
        found = interleave(bench.rounds, {
            "allowed": lambda _: side("allowed", users=USERS),
            "denied": lambda _: side("denied", users=USERS, tenant="spent"),
            "first of a user": lambda number: side("allowed", users=10**9, first_user=USERS + number * calls),
        })
    rows = []
    for what, rounds in found.items():
        both, floor = column(rounds, "both"), column(found["allowed"], "both")
        rows.append((what, *(spread(column(rounds, who)) for who in (*pids, "both")), "1" if what == "allowed" else ratio(both, floor)))
    table("Kinds of checks, µs of CPU", "kinds", rows, ("check", "bursard", "Redis", "both", "**both / allowed**"))
