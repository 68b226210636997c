"""CPU of bursard for a check, alone, in a batch and in a stream, beside an echo RPC on the same gRPC layer."""
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_us


def run(bench):
    calls, batches = bench.scaled(30_000), bench.scaled(100)
    with bench.bursard(roles="serve,http") as (server, redis), bench.echo() as (echo, echo_address):
        bench.wide_tier(server)
        pids = {"server": server.pid, "redis": redis.pid}

        def check(_):
            before = redis.client.info("commandstats").get("cmdstat_fcall", {"calls": 0})["calls"]
            used = cpu_us(pids, calls, lambda: bench.load(server.grpc_addr, calls=calls, in_flight=100))
            after = redis.client.info("commandstats")["cmdstat_fcall"]["calls"]
            return {**used, "trips": (after - before) / calls}

        def stream(items, in_flight):
            count = calls if items == 1 else batches * 500
            return lambda _: cpu_us(pids, count, lambda: bench.load(server.grpc_addr, program="stream_load", calls=count, items=items,
                                                                    in_flight=in_flight))

        for address in (server.grpc_addr, echo_address):
            bench.load(address, calls=5000)
        found = interleave(bench.rounds, {
            "echo": lambda _: cpu_us({"server": echo.pid}, calls, lambda: bench.load(echo_address, calls=calls, in_flight=100)),
            "check": check,
            "batch": lambda _: cpu_us(pids, batches * 500, lambda: bench.load(server.grpc_addr, calls=batches, batch=500, in_flight=4)),
            "stream": stream(1, 100),
            "stream in messages": stream(500, 2000),
        })
    echo, check, batch, stream, messages = (column(found[side], "server") for side in ("echo", "check", "batch", "stream", "stream in messages"))
    table("Server CPU per call", "server", [
        ("echo RPC, µs", spread(echo)),
        ("check of eight limits, µs", spread(check)),
        ("**check / echo**", ratio(check, echo)),
        ("check inside CheckBatch of 500, µs", spread(batch)),
        ("**check inside CheckBatch / check**", ratio(batch, check)),
        ("check inside CheckStream, one a message, µs", spread(stream)),
        ("**check inside CheckStream, one a message / check**", ratio(stream, check)),
        ("check inside CheckStream, 500 a message, µs", spread(messages)),
        ("**check inside CheckStream, 500 a message / check inside CheckBatch**", ratio(messages, batch)),
        ("Redis, µs a check", spread(column(found["check"], "redis"))),
        ("Redis, µs a check inside CheckBatch", spread(column(found["batch"], "redis"))),
        ("Redis, µs a check inside CheckStream", spread(column(found["stream in messages"], "redis"))),
        ("function calls to Redis a check", spread(column(found["check"], "trips"), 3)),
    ])
