"""Starting and stopping: what is refused, what is waited for, what SIGTERM leaves behind."""
import contextlib
import signal
import subprocess

import grpc
import pytest

from bots import Bots
from harness import Bursard, Proxy, Redis, program, protos, until

SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"  # grpc.health.v1.HealthCheckResponse


def run(*arguments):
    return subprocess.run([program("bursard"), *arguments], capture_output=True, text=True, timeout=30, check=False)


def catches(pid, number):
    """Whether the process has a handler of that signal."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        mask = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt:"))
    return bool(mask & 1 << number - 1)


def test_an_evicting_redis_is_refused_with_a_sentence(postgres):
    redis = Redis(settings={"maxmemory-policy": "allkeys-lru"})
    done = run("--redis", redis.url, "--postgres", postgres.conninfo, "--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
    redis.kill()
    assert done.returncode != 0 and "noeviction" in done.stderr


def test_an_address_others_can_reach_is_refused_until_asked_for(redis, postgres):
    done = run("--redis", redis.url, "--postgres", postgres.conninfo, "--grpc-listen", "0.0.0.0:0", "--http-listen", "127.0.0.1:0")
    assert done.returncode == 2 and "insecure_listen" in done.stderr


def test_a_bad_option_names_itself_and_what_would_be_right():
    done = run("--redis-timeout-ms", "soon")
    assert done.returncode == 2 and "redis_timeout_ms" in done.stderr.replace("-", "_")


def test_a_schema_that_is_not_migrated_is_refused_with_what_to_do(redis, postgres_server):
    empty = postgres_server.database(migrated=False)
    done = run("--redis", redis.url, "--postgres", empty.conninfo, "--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
    empty.drop()
    assert done.returncode != 0 and "migrate up" in done.stderr


def test_migrations_go_down_and_up_again_on_filled_data(bots, postgres, bursard):
    bots.record(bots.check("ann", model="gpt-4o", input_tokens=5), input_tokens=5)
    bots.drained()
    bots.close()
    bursard.stop()
    for _ in range(3):
        assert run("migrate", "down", "--postgres", postgres.conninfo).returncode == 0
    assert run("migrate", "up", "--postgres", postgres.conninfo).returncode == 0
    assert "applied" in run("migrate", "status", "--postgres", postgres.conninfo).stdout
    assert postgres.value("select count(*) from model_prices") >= 100


def test_a_database_from_before_the_meters_proves_the_same_when_it_is_migrated(bots, redis, postgres, bursard):
    for user in ("ann", "bob"):
        for model in ("gpt-4o", "claude-sonnet-4-5", "no-such-model-of-2031"):
            bots.record(bots.check(user, input_tokens=5), model=model, input_tokens=700, cached_input_tokens=40, output_tokens=90)
    before = bots.drained()
    bill = bots.admin.GetMonthlyReport(bots.admin_pb.GetMonthlyReportRequest(ref=bots.key("ann")), timeout=20)
    bots.close()
    bursard.stop()
    rows = "SELECT md5(string_agg(l::text, ' ' ORDER BY l::text)) FROM (SELECT {} FROM ledger) l"
    columns = postgres.value("SELECT string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns "
                             "WHERE table_name = 'ledger' AND column_name NOT IN ('meters', 'provider_cost_nano')")
    ledger = postgres.value(rows.format(columns))
    while postgres.value("SELECT max(version) FROM schema_migrations") > 15:
        assert run("migrate", "down", "--postgres", postgres.conninfo).returncode == 0
    assert postgres.value("SELECT to_regclass('usage_meters') IS NULL")
    assert run("migrate", "up", "--postgres", postgres.conninfo).returncode == 0
    assert postgres.value(rows.format(columns)) == ledger
    server = Bursard(redis, postgres)
    with contextlib.closing(Bots(bots.stubs, server.grpc_addr)) as after:
        assert after.drained() == before
        assert after.admin.GetMonthlyReport(after.admin_pb.GetMonthlyReportRequest(ref=after.key("ann")), timeout=20) == bill
    server.stop()


def test_a_start_without_redis_waits_and_says_so(postgres):
    redis = Redis(start=False)
    server = Bursard(redis, postgres, wait=False)
    until(lambda: server.http("/readyz")[0] == 503 and "redis" in server.http("/readyz")[1], "/readyz to name redis", alive=server)
    redis.start()
    server.wait_ready()
    server.stop()
    redis.kill()


def test_sigterm_finishes_what_is_running_and_ends_with_zero(bots, bursard):
    pending = [bots.limiter.Check.future(bots.request(f"user-{i}"), timeout=10) for i in range(50)]
    until(lambda: any(p.done() for p in pending), "an answer")
    bursard.stop()
    codes = [p.code() for p in pending]
    assert grpc.StatusCode.OK in codes and set(codes) <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}, codes
    assert all(p.result().allowed for p in pending if p.code() == grpc.StatusCode.OK)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_lame_duck_serves_and_says_that_it_goes_and_a_second_signal_ends_it(start_bursard, number):
    server = start_bursard(lame_duck_ms=600_000, drain_ms=600_000)
    bots = Bots(protos, server.grpc_addr)
    ask = bots.channel.unary_unary("/grpc.health.v1.Health/Check")
    watch = bots.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=60)
    assert next(watch) == SERVING
    server.signal(number)
    assert next(watch) == NOT_SERVING
    until(lambda: ask(b"", timeout=60) == NOT_SERVING and server.http("/readyz")[0] == 503, "both probes saying that it goes")
    late = Bots(protos, server.grpc_addr)
    assert bots.check("ann").allowed and late.check("ann").allowed
    server.signal(number)
    assert server.wait(60) == 0
    late.close()
    bots.close()


def test_a_signal_while_it_starts_is_heeded_when_it_has_started(redis, postgres):
    proxy = Proxy(redis.socket)
    proxy.freeze()
    server = Bursard(f"redis://{proxy.address}/0", postgres, wait=False)
    until(lambda: catches(server.pid, signal.SIGTERM), "a handler of SIGTERM", alive=server)
    server.stop()
    proxy.close()
