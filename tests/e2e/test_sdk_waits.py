"""What the SDKs of OpenAI and Anthropic do with a denial: how many requests they send, and how long they wait. The real packages, of the
registries; what they promise is in docs/proxies.md."""
import fcntl
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import pytest

from web import Door
from harness.paths import ROOT

HERE = pathlib.Path(__file__).parent / "sdk"
CACHE = ROOT / "build" / "sdks"
PYTHON = ["openai==3.57.0", "anthropic==2.14.0"]
NODE = ["openai6@npm:openai@6.49.0", "openai7@npm:openai@7.59.0", "@anthropic-ai/sdk@1.14.0"]
SDKS = ["openai-py", "anthropic-py", "openai-node-6", "openai-node-7", "anthropic-node"]
CASES = ["short", "busy", "long", "never"]


def installed(name, command, packages):
    """The folder with the packages, installed once per clone; skips without their registry."""
    folder = CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != " ".join(packages):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            done = subprocess.run([*command, *packages], cwd=folder, capture_output=True, text=True, timeout=240, check=False)
            if done.returncode:
                pytest.skip(f"{name}: the packages could not be installed: {(done.stderr or done.stdout).strip()[-200:]}")
            stamp.write_text(" ".join(packages))
    return folder


@pytest.fixture(scope="module")
def command():
    """command(sdk): what asks with it."""
    def of(sdk):
        if sdk.endswith("-py"):
            folder = installed("python", [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", "."], PYTHON)
            return [sys.executable, str(HERE / "ask.py")], {"PYTHONPATH": str(folder)}
        if not shutil.which("node") or not shutil.which("npm"):
            pytest.skip("node and npm are not installed; Debian's npm is hundreds of packages, so deploy/packages does not have it")
        folder = installed("node", ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], NODE)
        shutil.copy(HERE / "ask.mjs", folder)
        return ["node", str(folder / "ask.mjs")], {}
    return of


class Gateway(http.server.BaseHTTPRequestHandler):
    """A gateway as people write it: asks Bursar, and answers a denial in its provider's shape with Bursar's headers."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        anthropic = self.path.endswith("/messages")
        user = self.headers["x-api-key"] or self.headers["Authorization"].removeprefix("Bearer ")
        self.server.before(user)
        came = time.monotonic()
        asked = self.server.bursar("POST", "/v1/check", {"user": user, "input_tokens": 1000, "max_output_tokens": 1})
        self.server.seen.setdefault(user, []).append((came, time.monotonic(), asked))
        if asked.status == 200:
            return self.answer(200, {}, {"content": [{"type": "text", "text": "done"}], "role": "assistant", "type": "message"} if anthropic else
                               {"choices": [{"message": {"role": "assistant", "content": "done"}}]})
        error = {"type": "rate_limit_error", "message": asked.json["message"]}
        passed = {name: value for name, value in asked.headers.items()
                  if name.lower().startswith(("retry-after", "x-should-retry", "ratelimit", "x-ratelimit", "x-bursar"))}
        return self.answer(asked.status, passed, {"type": "error", "error": error} if anthropic else {"error": error | {"code": "rate_limit"}})

    def answer(self, status, headers, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers | {"Content-Type": "application/json", "Content-Length": str(len(text))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def gateway(bursard, bots):
    """A gateway whose users are "SDK.CASE", on a tier of the case's."""
    bots.tier("short", bots.bucket("per-3s", "requests", 1, period_us=3_000_000))
    bots.tier("busy", bots.bucket("per-2s", "requests", 1, period_us=2_000_000))
    bots.tier("long", bots.calendar("month", "requests", 1, window="MONTH"))
    bots.tier("never", bots.bucket("tokens", "tokens", 100))
    for sdk in SDKS:
        for case in CASES:
            bots.account(f"{sdk}.{case}", tier=case)
    spent = set()

    def before(user):
        """Somebody else spends what there is: once, or in the busy case before every request."""
        if user not in spent or user.endswith(".busy"):
            spent.add(user)
            while bots.check(user, input_tokens=1000, max_output_tokens=1).allowed:
                pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.bursar, server.seen, server.before = Door(bursard.http_addr), {}, before
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def told_s(denial):
    """How long the headers say to wait; milliseconds take precedence."""
    exact = denial.headers["retry-after-ms"]
    return int(exact) / 1000 if exact else int(denial.headers["Retry-After"])


def check_waits(requests):
    """Between a denial and the next request lies what the denial said. SDKs for Node cut to milliseconds, and their timers may be 1 ms early."""
    for (_, answered, denial), (came, *_) in zip(requests, requests[1:]):
        assert came - answered >= told_s(denial) - 0.01, (came - answered, dict(denial.headers))


def check_outcome(sdk, outcome, requests):
    case = outcome["case"]
    if case == "short":  # waits as it is told, and then passes
        assert outcome["status"] == 200 and outcome["text"] == "done" and len(requests) == 2, (sdk, outcome, len(requests))
        check_waits(requests)
        return
    assert outcome["status"] == 429 and outcome["reason"], (sdk, outcome)
    assert requests[0][2].json["message"][:20] in outcome["text"], "the sentence for the user is in the exception"
    if case == "busy":  # two tries more, each after its wait
        assert len(requests) == 3, (sdk, outcome, len(requests))
        check_waits(requests)
    else:  # a wait of hours, or without an end: given up at once
        assert len(requests) == 1 and requests[0][2].headers["x-should-retry"] == "false", (sdk, outcome, len(requests))


@pytest.mark.parametrize("sdk", SDKS)
def test_sdks_wait_as_told_and_give_up_at_once_when_waiting_is_long(sdk, command, gateway):
    words, env = command(sdk)
    # The SDKs read addresses and keys from variables of their own.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "ANTHROPIC_"))}
    done = subprocess.run([*words, sdk, str(gateway.server_port), *CASES], env=clean | env, capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [outcome["case"] for outcome in outcomes] == CASES
    for outcome in outcomes:
        check_outcome(sdk, outcome, gateway.seen[f"{sdk}.{outcome['case']}"])
