"""bursar doctor: what is wrong is found, for real, and what to do is said."""
import datetime
import json
import subprocess

import grpc
import pytest

from harness import program, protos, run_bursar
from bots import unique
from certificates import Authority

OK, WARN, FAIL = range(1, 4)


def findings(bots):
    answer = bots.admin.Diagnose(protos.admin_pb2.DiagnoseRequest(), timeout=30)
    for check in answer.checks:
        assert bool(check.advice) == (check.finding != OK), check
    return {check.name: check for check in answer.checks}


def run(bursard, *args, **env):
    return run_bursar(bursard.grpc_addr, "doctor", *args, **env)


def test_redis_is_looked_at_as_it_is(bots, stack):
    assert findings(bots)["persistence"].finding == WARN
    stack.redis.config_set("appendonly", "yes")
    kept = findings(bots)
    assert kept["persistence"].finding == OK and "everysec" in kept["persistence"].found
    stack.redis.config_set("maxmemory-policy", "volatile-ttl")
    stack.redis.config_set("maxmemory", 1 << 30)
    changed = findings(bots)
    assert changed["eviction"].finding == FAIL and "volatile-ttl" in changed["eviction"].found
    assert changed["memory"].finding == OK and "1024 MiB" in changed["memory"].found


def test_a_clock_that_is_off_is_found(clock, bots):
    clock.advance(5)
    assert findings(bots)["redis clock"].finding == WARN
    clock.advance(-3605)
    off = findings(bots)["redis clock"]
    assert off.finding == FAIL and "behind" in off.found and findings(bots)["postgresql clock"].finding == OK


def test_a_store_that_is_away_is_a_finding_and_the_rest_is_looked_at(bots, redis):
    redis.kill()
    found = findings(bots)
    assert found["redis"].finding == FAIL and found["postgresql"].finding == OK and "outbox" not in found


def test_an_older_schema_is_named(bots, postgres):
    subprocess.run([program("bursard"), "migrate", "down", "--postgres", postgres.conninfo], check=True, capture_output=True, timeout=60)
    found = findings(bots)
    assert found["schema"].finding == FAIL and "migrate up" in found["schema"].advice and "prices" not in found


def test_an_outbox_that_stands_still_is_found(start_bursard, clock, redis):
    from bots import Bots
    server = start_bursard(roles="serve,http", clock=clock)
    bots = Bots(protos, server.grpc_addr)
    bots.record(bots.check("ann"), input_tokens=5)
    assert findings(bots)["outbox"].finding == OK
    clock.advance(30)
    waits = findings(bots)["outbox"]
    assert waits.finding == WARN and waits.found.startswith("1 entries")
    clock.advance(60)
    assert findings(bots)["outbox"].finding == FAIL
    bots.close()


def sources(stack, text):
    """Every price's source says that it was read then."""
    with stack.sql() as sql:
        sql.execute("UPDATE model_prices SET source = %s WHERE source <> ''", (text,))
        sql.connection.commit()


def days_ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).date().isoformat()


def test_shipped_prices_are_as_old_as_their_sources_on_a_database_that_was_made_today(bots, stack):
    with stack.sql() as sql:
        sql.execute("SELECT min(created_at) > now() - interval '1 hour' FROM model_prices")
        assert sql.fetchone()[0]
    assert findings(bots)["prices"].found == "the newest source is from 2026-11-10"


@pytest.mark.parametrize("source, day, finding", [
    ("acme@1 ({})", 3, OK), ("acme@1 (v2,{}); b (2020-01-01)", 119, OK), ("acme@1 ({})", 122, WARN),
    ("acme@1 ({}), until 2099-12-31", 122, WARN), ("nothing said", 0, OK), ("from tomorrow (2099-02-31)", 0, OK)])
def test_the_age_of_a_price_is_that_of_its_source(bots, stack, source, day, finding):
    sources(stack, source.format(days_ago(day)))
    found = findings(bots)["prices"]
    assert (found.finding, found.found) == (finding, f"the newest source is from {days_ago(day)}")


def test_an_old_price_that_is_used_is_found_beside_younger_ones(bots, bursar, stack):
    sources(stack, f"acme@1 ({days_ago(130)})")
    put = lambda model: bots.admin.PutPrice(bots.admin_pb.PutPriceRequest(yes=True, price=bots.admin_pb.Price(
        provider="openai", model=model, input="1", output="2")), timeout=20)
    put("gpt-4o")
    user = unique("user")
    bots.record(bots.check(user, model="gpt-4o"), input_tokens=1)
    bots.drained()
    assert findings(bots)["prices"].finding == OK
    bots.record(bots.check(user, model="gpt-4o-mini"), input_tokens=1)
    bots.drained()
    old = findings(bots)["prices"]
    assert old.finding == WARN and old.found == "1 models used this month have prices whose source is older than 120 days"
    assert "0 new, 1 changed" in bursar("price", "put", "openai", "gpt-4o-mini", "--source", "seen by ann", check=True).stdout
    assert findings(bots)["prices"].finding == OK  # it costs what it did


def test_prices_keys_pools_and_rejects_are_looked_at(bots, stack):
    sources(stack, f"acme@1 ({days_ago(1)})")
    bots.record(bots.check(unique("user")))  # of nothing, as `bursar run` does: no price is missing
    bots.drained()
    assert findings(bots)["prices"].finding == OK and findings(bots)["keys"].finding == WARN
    bots.admin.PutTenant(bots.admin_pb.PutTenantRequest(tenant=bots.admin_pb.Tenant(id="default", unknown_model=3)), timeout=20)
    bots.record(bots.check(unique("user"), model="no-such-model", input_tokens=5), input_tokens=5)
    bots.drained()
    bots.admin.PutPool(bots.admin_pb.PutPoolRequest(ref=bots.admin_pb.PoolRef(name="gpu"), slots=1, paused=True), timeout=20)
    with stack.sql() as cursor:
        cursor.execute("INSERT INTO ledger_rejects (origin, reason, bytes) VALUES ('x', 'because', '')")
        cursor.connection.commit()
    found = findings(bots)
    assert [found[name].finding for name in ("prices", "pools", "rejects")] == [WARN, WARN, WARN]
    assert found["prices"].found == "1 requests this month were not charged at a price of their own: no-such-model"


def test_the_models_without_a_price_are_named_the_most_frequent_first(bots):
    """Whether their family's price was used, the fallback's, or none."""
    for name, count in (("gpt-77", 1), ("modèle", 3), ("gpt-4o", 9), ("GPT-78", 2)):
        for _ in range(count):
            bots.record(bots.check(unique("user"), model=name, input_tokens=1), input_tokens=1)
    bots.drained()
    found = findings(bots)["prices"]
    assert found.found == "6 requests this month were not charged at a price of their own: mod?le, gpt-78, gpt-77"
    assert "bursar price put" in found.advice and "bursar model alias put" in found.advice


@pytest.mark.parametrize("days, finding", [(2, WARN), (90, OK)])
def test_the_end_of_the_certificate_is_found(tmp_path, start_bursard, days, finding):
    authority = Authority(tmp_path, "authority")
    cert, key = authority.issue("bursard.example", days=days)
    server = start_bursard(tls_cert=cert, tls_key=key)
    done = run(server, "--tls-ca", authority.cert, "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["tls"]["finding"] == {WARN: "FINDING_WARN", OK: "FINDING_OK"}[finding], done.stdout


@pytest.fixture
def mutual(tmp_path, start_bursard):
    """A bursard that asks for certificates, and mutual(**of_the_certificate) -> a doctor who has one."""
    authority = Authority(tmp_path, "authority")
    cert, key = authority.issue("bursard.example", days=90)
    server = start_bursard(tls_cert=cert, tls_key=key, tls_client_ca=authority.cert, tls_client_certs="required")

    def doctor(**given):
        cert, key = authority.issue("ops.example", **given)
        return run(server, "--tls-ca", authority.cert, "--tls-cert", cert, "--tls-key", key)
    return doctor


def test_ones_own_certificate_is_looked_at(mutual):
    well, soon = mutual(days=90), mutual(days=2)
    assert well.returncode == 0 and "ok    certificate here  expires on " in well.stdout, well.stderr
    assert soon.returncode == 0 and "WARN  certificate here  expires on " in soon.stdout and "--tls-cert and --tls-key" in soon.stdout


def test_a_certificate_of_ones_own_that_does_not_count_is_the_reason_given(mutual):
    for given, found, advice in (({"expired": True}, "expired on", "put a new certificate"), ({"early": True}, "valid only from", "clock")):
        done = mutual(**given)
        assert done.returncode == 3 and "cannot reach" in done.stderr
        assert f"FAIL  certificate here  {found} " in done.stdout and advice in done.stdout, done.stdout


def test_without_a_certificate_of_ones_own_there_is_nothing_to_say_of_it(bursard):
    assert "certificate here" not in run(bursard).stdout


def test_the_command_exits_by_what_it_finds(bursard, stack):
    well = run(bursard)
    assert well.returncode == 0 and "0 failed" in well.stdout and "connection" in well.stdout, well.stderr
    stack.redis.config_set("maxmemory-policy", "allkeys-lru")
    broken = run(bursard)
    assert broken.returncode == 1 and "FAIL  eviction" in broken.stdout and "-> set maxmemory-policy noeviction" in broken.stdout


def test_a_bot_sees_the_outside_alone(bots, bursard):
    create = lambda role, **more: bots.admin.CreateKey(bots.admin_pb.CreateKeyRequest(role=role, **more), timeout=20).secret
    operator = create(5)
    metadata = [("authorization", "Bearer " + operator)]
    bot = bots.admin.CreateKey(bots.admin_pb.CreateKeyRequest(role=2), timeout=20, metadata=metadata).secret
    done = run(bursard, BURSAR_KEY=bot)
    assert done.returncode == 0 and "may not run the server's checks" in done.stdout and "redis" not in done.stdout
    known = run(bursard, BURSAR_KEY=operator)
    assert "operator" in known.stdout and "keys" in known.stdout
    nobody = run(bursard)
    assert nobody.returncode == 4 and "UNAUTHENTICATED" in nobody.stderr
    with pytest.raises(grpc.RpcError) as caught:
        bots.admin.Diagnose(protos.admin_pb2.DiagnoseRequest(), timeout=20, metadata=[("authorization", "Bearer " + bot)])
    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
