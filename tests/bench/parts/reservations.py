"""CPU of bursard and Redis a check with 1,000,000 open reservations, beside the same with 1,000.

A user has one of them. The checks that are measured open more, which is a few hundredths of the many.
"""
import contextlib

from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_us


def run(bench):
    calls, many, sides = bench.scaled(10_000), bench.scaled(1_000_000), {}
    with contextlib.ExitStack() as stack:
        for users in (1000, many):
            server, redis = stack.enter_context(bench.bursard(roles="serve,http", new_users_per_minute=10**8))
            bench.wide_tier(server)
            bench.load(server.grpc_addr, calls=users // 500, batch=500, in_flight=8, users=users)

            def side(number, server=server, redis=redis, users=users):
                return cpu_us({"server": server.pid, "Redis": redis.pid}, calls, lambda: bench.load(
                    server.grpc_addr, calls=calls, in_flight=100, users=min(users, calls), first_user=number * calls % users))

            sides[users] = side
        found = interleave(bench.rounds, sides)
    rows = []
    for who in ("server", "Redis"):
        few, most = (column(found[users], who) for users in (1000, many))
        rows += [(f"{who}, 1,000 open reservations, µs a check", spread(few)), (f"{who}, {many:,} open reservations, µs a check", spread(most)),
                 (f"**{who}, {many:,} / 1,000**", ratio(most, few))]
    table("Open reservations", "reservations", rows)
