"""Starting and stopping: what is refused, what is waited for, what SIGTERM leaves behind."""
import subprocess

from harness import Bursard, Redis, program, until


def run(*arguments):
    return subprocess.run([program("bursard"), *arguments], capture_output=True, text=True, timeout=30, check=False)


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
    answered = [p for p in pending if p.exception() is None]
    assert answered and all(p.result().allowed for p in answered)
