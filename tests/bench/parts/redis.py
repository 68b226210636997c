"""CPU of Redis for a check of eight limits, beside scripts of nothing and of one bucket."""
from measuring.calls_of_redis import captured_check, commands, send
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_us


def run(bench):
    calls = bench.scaled(16_000)
    with bench.bursard(roles="serve,http") as (server, redis):
        bench.wide_tier(server)
        makes = commands(redis, captured_check(bench, server, redis))

        def side(make):
            return lambda _: cpu_us({"redis": redis.pid}, calls, lambda: send(redis, make, calls))

        found = interleave(bench.rounds, {what: side(make) for what, make in makes.items()})
    nothing, bucket, check = (column(found[what], "redis") for what in ("nothing", "bucket", "check"))
    table("Redis CPU per call, pipelined by 16 over a unix socket", "redis", [
        ("script `return 1`, µs", spread(nothing)),
        ("script of one bucket in a hash, µs", spread(bucket)),
        ("check: eight limits and a reservation, µs", spread(check)),
        ("**check / one bucket**", ratio(check, bucket)),
    ])
