"""The release build, once through: migrate, check, record, the ledger's row, the command line's exit codes, the end."""
import json
import subprocess

from harness import program, until


def bursar(bursard, *words):
    return subprocess.run([program("bursar"), *words, "--addr", bursard.grpc_addr], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)


def test_a_request_goes_from_check_to_the_ledger(bursard, postgres):
    check = bursar(bursard, "check", "alice", "--model", "gpt-4o-mini", "--input-tokens", "500", "--json")
    assert check.returncode == 0, check.stdout + check.stderr
    handle = json.loads(check.stdout)["reservation"]
    record = bursar(bursard, "record", handle, "--input-tokens", "500", "--output-tokens", "100")
    assert record.returncode == 0, record.stdout + record.stderr
    # gpt-4o-mini: 500 x 150,000 + 100 x 600,000 pico-USD
    until(lambda: postgres.query("select cost_nano from ledger") == [(135000,)], "the ledger's row")


def test_a_denial_ends_with_1(bursard):
    codes = [bursar(bursard, "check", "bob", "--input-tokens", "10").returncode for _ in range(4)]
    assert codes == [0, 0, 0, 1]  # free: 3 requests a minute


def test_a_wrong_option_ends_with_2_and_a_missing_server_with_3(bursard):
    assert bursar(bursard, "check").returncode == 2
    nowhere = subprocess.run([program("bursar"), "status", "alice", "--addr", "127.0.0.1:9", "--timeout", "1s"],
                             capture_output=True, timeout=60, check=False)
    assert nowhere.returncode == 3


def test_the_database_goes_down_and_up_again(postgres):
    for direction in ("down", "up"):
        done = subprocess.run([program("bursard"), "migrate", direction, "--postgres", postgres.conninfo],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
