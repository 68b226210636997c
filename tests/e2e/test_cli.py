"""The command line against a server: a request's way, what an admin does, exit codes, JSON."""
import json
import subprocess
import threading

import pytest
from harness import run_bursar
from harness.paths import program
from harness.ports import free_port
from harness.proxy import Proxy
from harness.wait import until

ALLOWED, DENIED, USAGE, UNREACHABLE, REFUSED = range(5)


@pytest.fixture
def answer(bursar):
    """The JSON of a command, which must succeed with the code."""

    def run(*args, code=ALLOWED, stdin=None):
        process = bursar(*args, "--json", stdin=stdin)
        assert process.returncode == code, process.stderr
        return json.loads(process.stdout)

    return run


def test_a_request_goes_from_its_check_to_its_bill(bursar, answer):
    cost = answer("cost", "gpt-5.4", "--input-tokens", "1000", "--output-tokens", "200")["cost"]["cost_nano_usd"]
    check = answer("check", "alice", "-i", "telegram", "-m", "gpt-5.4", "--input-tokens", "1k", "--max-output-tokens", "500")
    assert check["allowed"] and check["held_tokens"] == 1500
    record = answer("record", check["reservation"], "--input-tokens", "1000", "--output-tokens", "200")
    assert record["tokens"] == 1200 and not record["repeat"]
    assert record["cost"]["cost_nano_usd"] == cost > 0
    assert answer("record", check["reservation"], "--input-tokens", "1000", "--output-tokens", "200")["repeat"]
    status = bursar("status", "alice")
    assert status.returncode == 0 and "requests_per_minute" in status.stdout


def test_a_record_that_names_no_tokens_settles_nothing(bursar, answer):
    handle = answer("check", "zed", "-m", "gpt-4o", "--input-tokens", "1k", "--max-output-tokens", "500")["reservation"]
    forgot = bursar("record", handle)
    assert forgot.returncode == USAGE and "--input-tokens N and --output-tokens N" in forgot.stderr, forgot.stderr
    assert bursar("record", handle, "-m", "gpt-4o").returncode == USAGE
    assert not answer("record", handle, "--input-tokens", "0")["repeat"]


def test_a_repeat_with_other_figures_is_exit_code_1_and_shows_both(bursar, answer):
    handle = answer("check", "zoe", "-m", "gpt-4o", "--input-tokens", "1k", "--max-output-tokens", "500")["reservation"]
    assert not answer("record", handle, "--input-tokens", "0")["repeat"]
    again = bursar("record", handle, "--input-tokens", "1180", "--output-tokens", "310")
    assert again.returncode == DENIED and "a repeat with different figures" in again.stdout, again.stdout + again.stderr
    lines = [line.split() for line in again.stdout.splitlines()]
    assert ["input", "tokens", "0", "1,180"] in lines and ["output", "tokens", "0", "310"] in lines
    assert f"bursar ledger adjust {handle} --input-tokens +1180 --output-tokens +310" in again.stdout
    told = answer("record", handle, "--input-tokens", "1180", code=DENIED)
    assert told["differs"] == ["usage.input_tokens"]
    assert bursar("record", handle, "--input-tokens", "0").returncode == ALLOWED


def test_a_denial_is_exit_code_1_and_says_when(bursar):
    codes = [bursar("check", "bob").returncode for _ in range(4)]
    assert codes == [ALLOWED, ALLOWED, ALLOWED, DENIED]
    denied = bursar("check", "bob")
    assert denied.stdout.startswith("denied: request rate") and "in " in denied.stdout
    assert bursar("explain", "bob").returncode == DENIED


def test_the_same_id_is_answered_and_not_counted_again(answer):
    first = answer("check", "carol", "--id", "msg-1")
    again = answer("check", "carol", "--id", "msg-1")
    assert again["repeat"] and again["reservation"] == first["reservation"]
    assert answer("cancel", first["reservation"])["state"] == "RESERVATION_STATE_CANCELLED"
    assert answer("renew", answer("check", "carol")["reservation"], "--ttl", "1h")["expires_at_us"] > 0


def test_an_admin_moves_overrides_suspends_and_graces(bursar, answer):
    assert answer("account", "put", "dave", "--tier", "pro", "--team", "red")["team"] == "red"
    assert answer("account", "set-tier", "dave", "enterprise")["tier"] == "enterprise"
    overridden = answer("account", "override", "dave", "requests=2/min", "cost=20/day,name=daily")
    assert {limit["name"] for limit in overridden["overrides"]} == {"requests_per_minute", "daily"}
    assert [bursar("check", "dave").returncode for _ in range(3)] == [ALLOWED, ALLOWED, DENIED]
    assert len(answer("account", "override", "dave", "--remove", "daily")["overrides"]) == 1
    assert answer("account", "override", "dave", "--clear")["overrides"] == []
    assert answer("account", "suspend", "dave", "--reason", "abuse")["suspended"]
    assert "suspended" in bursar("check", "dave").stdout
    assert not answer("account", "unsuspend", "dave")["suspended"]
    assert answer("account", "grace", "dave", "--for", "2h", "--percent", "50")["grace_percent"] == 50
    assert answer("account", "grace", "dave", "--off")["grace_until_us"] == 0
    assert answer("account", "bypass", "dave", "on")["bypass"]
    assert bursar("account", "reset", "dave").returncode == ALLOWED
    assert [row["ref"]["id"] for row in answer("account", "list", "--prefix", "dav")["accounts"]] == ["dave"]


def test_a_tier_is_put_by_grammar_and_by_file(bursar, answer):
    put = answer("tier", "put", "team", "requests=2/min", "cost=20/day", "--priority", "7")
    assert put["pool_priority"] == 7 and len(put["limits"]) == 2
    merged = answer("tier", "put", "team", "requests=5/min", "--merge")
    assert sorted((limit["dimension"], limit["amount"]) for limit in merged["limits"]) == [
        ("DIMENSION_COST", 20_000_000_000), ("DIMENSION_REQUESTS", 5)]
    assert merged["pool_priority"] == 7
    copied = answer("tier", "put", "copy", "-f", "-", stdin=json.dumps(merged))
    assert copied["limits"] == merged["limits"]
    assert "requests=5/min" in bursar("tier", "show", "copy").stdout
    assert {"free", "pro", "enterprise", "team", "copy"} <= {tier["name"] for tier in answer("tier", "list")["tiers"]}


def test_prices_are_listed_shown_and_put(answer):
    prices = answer("price", "list", "--limit", "10000")["prices"]
    assert len(prices) >= 100 and len({(p["provider"], p["model"]) for p in prices}) == len(prices)
    assert answer("price", "put", "openai", "my-model", "--input", "0.075", "--output", "1.5")["input"] == "0.075"
    assert answer("price", "show", "my-model")["output"] == "1.5"
    assert answer("cost", "my-model", "--input-tokens", "1M")["cost"]["cost_nano_usd"] == 75_000_000
    plain, fast = (answer("cost", "claude-opus-4-7", "--input-tokens", "1M", *mode)["cost"]["cost_nano_usd"]
                   for mode in ((), ("--mode", "fast")))
    assert fast == 6 * plain > 0  # a mode that this price names, and few others do


def test_tenants_are_walls(answer):
    assert answer("tenant", "put", "acme", "--default-tier", "pro")["default_tier"] == "pro"
    assert answer("tenant", "put", "acme", "--language", "de")["default_tier"] == "pro"
    assert answer("check", "alice", "--tenant", "acme")["tier"] == "pro"
    assert "acme" in {tenant["id"] for tenant in answer("tenant", "list")["tenants"]}


def test_a_pool_is_put_and_shown_and_keeps_what_is_not_named(bursar, answer):
    first = answer("pool", "show")
    assert first["ref"] == {"tenant": "default", "name": "agent-execution"}
    assert first["slots"] == 5 and first["slots_from_option"] and first["generation"] == 1
    gpu = answer("pool", "put", "gpu", "--slots", "8", "--wait-max", "10min", "--level", "10:100", "--level", "1:5:200")
    assert gpu["slots"] == 8 and gpu["wait_max_us"] == 600_000_000 and gpu["lease_us"] == 30_000_000
    assert {(level["priority"], level["weight"], level["queue_limit"]) for level in gpu["levels"]} == {
        (10, 100, 0), (1, 5, 200)}
    drained = answer("pool", "drain", "gpu", "--slots", "0")
    assert drained["paused"] and drained["slots"] == 0 and drained["generation"] == gpu["generation"] + 1
    assert drained["wait_max_us"] == 600_000_000 and len(drained["levels"]) == 2
    assert answer("pool", "put", "gpu", "--paused", "no", "--clear-levels")["levels"] == []
    assert [pool["ref"]["name"] for pool in answer("pool", "list")["pools"]] == ["agent-execution", "gpu"]
    assert "gpu" in bursar("pool", "list").stdout


def test_a_pool_says_what_is_wrong(bursar):
    without = bursar("pool", "put", "new")
    assert without.returncode == REFUSED and "slots" in without.stderr
    too_long = bursar("pool", "put", "new", "--slots", "1", "--predicted-wait-max", "20min")
    assert too_long.returncode == REFUSED and "--predicted-wait-max: is 20min; it must be 1s to 5min" in too_long.stderr
    level = bursar("pool", "put", "new", "--slots", "1", "--level", "ten")
    assert level.returncode == USAGE and "10:100" in level.stderr
    nothing = bursar("pool", "show", "nothing")
    assert nothing.returncode == REFUSED and "pool list" in nothing.stderr.lower()
    name = bursar("pool", "show", "No Name")
    assert name.returncode == REFUSED and "name" in name.stderr


def test_figures_answer(bursar, answer):
    answer("account", "put", "erin", "--tier", "pro")
    assert any(row["tier"] == "pro" for row in answer("stats")["accounts_by_tier"])
    assert answer("report", "month", "erin")["ref"]["id"] == "erin"
    assert bursar("report", "month").returncode == ALLOWED
    assert bursar("proof").stdout.startswith("proof: ok")


def test_exit_codes_and_messages_say_what_to_do(bursar):
    wrong = bursar("check")
    assert wrong.returncode == USAGE and "USER is missing" in wrong.stderr and "--help" in wrong.stderr
    assert bursar("tenant", "put", "strict", "--unknown-model", "refuse").returncode == 0
    refused = bursar("check", "alice", "-m", "no-such-model", "--input-tokens", "5", "--tenant", "strict")
    assert refused.returncode == REFUSED and "INVALID_ARGUMENT" in refused.stderr and "model" in refused.stderr
    missing = bursar("tier", "show", "nothing")
    assert missing.returncode == REFUSED and "bursar tier list" in missing.stderr
    unknown = bursar("cancel", "--user", "alice", "--id", "never-checked", "--started-at", "-1min")
    assert unknown.returncode == REFUSED and "NOT_FOUND" in unknown.stderr and "reservation" in unknown.stderr
    nobody = run_bursar(f"127.0.0.1:{free_port()}", "check", "alice")
    assert nobody.returncode == UNREACHABLE and "deploy/local up" in nobody.stderr
    assert not nobody.stdout


def test_a_wrong_field_is_named(bursar):
    refused = bursar("check", "a\tb")
    assert refused.returncode == REFUSED and "USER:" in refused.stderr


def test_a_handshake_that_takes_half_a_second_is_waited_for(bursard):
    host, port = bursard.grpc_addr.split(":")
    proxy = Proxy((host, int(port)))
    proxy.freeze()
    command = subprocess.Popen([program("bursar"), "status", "ann", "--addr", proxy.address], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: proxy.sockets, "the connection")
    threading.Timer(0.5, proxy.thaw).start()
    out, err = command.communicate(timeout=60)
    connections = len(proxy.sockets) // 2
    proxy.close()
    assert command.returncode == 0 and "ann" in out, err
    assert connections == 1, "the first attempt was given up"
