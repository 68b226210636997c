"""What durability costs: check and record with Redis's AOF off, everysec and always."""
import contextlib

from measuring.figures import column, interleave, ratio, spread, table


def run(bench):
    pairs, seconds = bench.scaled(20_000), 2 if bench.quick else 10
    with contextlib.ExitStack() as stack:
        sides = {}
        for aof in ("off", "everysec", "always"):
            server, _ = stack.enter_context(bench.bursard(aof=None if aof == "off" else aof))
            bench.wide_tier(server)

            def side(seed, address=server.grpc_addr):
                paced = bench.open_loop(seconds, 500, seed=seed, addr=address)["latency_us"]
                return {"pairs": bench.load(address, calls=pairs, in_flight=64, record=True)["per_second"], **paced}

            sides[aof] = side
        found = interleave(bench.rounds, sides)
    rows = []
    for aof, figures in found.items():
        pairs, floor = column(figures, "pairs"), column(found["off"], "pairs")
        rows += [(f"AOF {aof}: check + record pairs a second", spread(pairs, 0)),
                 *([] if aof == "off" else [(f"**AOF {aof} / off**", ratio(pairs, floor))]),
                 *((f"AOF {aof}: check at 500/s, {name}, µs", spread(column(figures, name), 0)) for name in ("p50", "p99"))]
    table("The price of Redis's durability", "aof", rows)
