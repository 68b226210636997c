"""bursar replay: real requests, and a proof that fails when any of its figures is not the others'."""
import functools
import json
import subprocess

import pytest
from harness.paths import ROOT, program
from harness.wait import until

SAMPLE = ROOT / "deploy" / "data" / "sample_requests.csv"


@pytest.fixture
def bursar(bursar):
    return functools.partial(bursar, timeout=300)


def replay(bursar, tenant):
    process = bursar("replay", str(SAMPLE), "--users", "30", "--tenant", tenant)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout.splitlines()


def test_the_sample_ends_with_books_that_agree(bursar, postgres):
    process = bursar("replay", str(SAMPLE), "--users", "50", "--json")
    assert process.returncode == 0, process.stdout + process.stderr
    result = json.loads(process.stdout)
    assert result["requests"] == 1000 and result["failed"] == 0
    assert result["admitted"] + result["denied"] == 1000
    assert result["admitted"] == result["recorded"] > 100 and result["denied"] > 0
    rows = postgres.query("select count(*), sum(requests), sum(charged_input + charged_output), sum(cost_nano) from ledger "
                          "where tenant = %s", result["tenant"])
    assert rows == [(result["recorded"], result["recorded"], result["tokens"], result["cost_nano_usd"])]


def test_the_last_line_is_the_proof(bursar):
    lines = replay(bursar, "replay-last-line")
    assert lines[-1].startswith("proof: ok (ledger = roll-ups = counters = acknowledged: ")
    assert bursar("proof", "--tenant", "replay-last-line").returncode == 0


@pytest.mark.parametrize("corruption", [
    "update ledger set cost_nano = cost_nano + 1 where ctid = (select ctid from ledger where tenant = %s limit 1) "
    "and tableoid = (select tableoid from ledger where tenant = %s limit 1)",
    "update usage_daily set requests = requests + 1 where tenant = %s and user_id = 'user-1' and "
    "(interface, model) = (select interface, model from usage_daily where tenant = %s and user_id = 'user-1' limit 1)",
], ids=["ledger", "roll-ups"])
def test_the_proof_fails_when_a_figure_of_postgresql_is_corrupted(bursar, postgres, corruption):
    replay(bursar, "replay-corrupted")
    postgres.execute(corruption, "replay-corrupted", "replay-corrupted")
    process = bursar("proof", "--tenant", "replay-corrupted")
    assert process.returncode == 1 and process.stdout.startswith("proof: FAILED (")


def test_a_file_that_is_none_is_refused_with_its_line(bursar, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n1,2,3\n1,x,3\n", encoding="ascii")
    process = bursar("replay", str(bad))
    assert process.returncode == 2 and "line 3, column 2" in process.stderr
    assert process.stdout.splitlines()[-1].startswith("proof: ok")
    bad.write_text("not a list of requests\n", encoding="ascii")
    process = bursar("replay", str(bad))
    assert process.returncode == 2 and "line 1: has no column for the time" in process.stderr and not process.stdout


def test_a_killed_server_costs_a_replay_nothing_but_time(bursard, postgres):
    command = [program("bursar"), "replay", str(SAMPLE), "--users", "30", "--speed", "60", "--tenant", "replay-killed",
               "--addr", bursard.grpc_addr]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            until(lambda: postgres.value("select count(*) from ledger where tenant = 'replay-killed'") > 50, "rows", 60)
            bursard.kill()
            bursard.start()
            out, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 0, out + errors
    assert out.splitlines()[-1].startswith("proof: ok")
