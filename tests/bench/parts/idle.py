"""CPU of bursard and of Redis a second while nobody calls."""
import time

from measuring.figures import column, spread, table
from measuring.processes import cpu_us


def run(bench):
    seconds = 2 if bench.quick else 10
    with bench.bursard() as (server, redis):
        bench.wide_tier(server)
        bench.load(server.grpc_addr, calls=5000, record=True)
        bots = bench.bots(server)
        bots.drained()
        bots.close()
        rounds = [cpu_us({"bursard": server.pid, "Redis": redis.pid}, seconds, lambda: time.sleep(seconds)) for _ in range(bench.rounds)]
    table("Idle", "idle", [(f"{who}, all roles, one worker: ms of CPU a second", spread([us / 1000 for us in column(rounds, who)], 2))
                           for who in rounds[0]])
