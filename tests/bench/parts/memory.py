"""Memory of bursard and of Redis from 1,000 to 1,000,000 accounts."""
from measuring.figures import table
from measuring.processes import resident_kib

PARTITIONS = 256


def run(bench):
    rows, done = [], 0
    with bench.bursard(roles="serve,http", new_users_per_minute=10**8) as (server, redis):
        base = redis.client.info("memory")["used_memory"]
        for accounts in (1000, 10_000, 100_000) if bench.quick else (1000, 10_000, 100_000, 1_000_000):
            bench.load(server.grpc_addr, calls=(accounts - done) // 500, batch=500, in_flight=8, users=10**9, first_user=done)
            done = accounts
            rows.append((f"bursard, resident, after {accounts:,} accounts", f"{resident_kib(server.pid) / 1024:.1f} MiB"))
        with_markers = redis.client.info("memory")["used_memory"]
        for key in redis.client.scan_iter(match="b:*:q:*", count=10000):
            redis.client.unlink(key)
        for n in range(PARTITIONS):
            redis.client.delete("b:{p%d}:due" % n)
        without = redis.client.info("memory")["used_memory"]
    rows.append(("Redis, bytes per account and its open reservation", f"{(with_markers - base) / done:.0f}"))
    rows.append(("**Redis, bytes per active account** (shipped free tier)", f"**{(without - base) / done:.0f}**"))
    table("Memory", "memory", rows, ("what", "figure"))
