"""The snippets of deploy/proxies, as they are, in the real programs: only addresses, paths and the key are put in."""
import http.server
import json
import os
import pathlib
import shutil
import threading

import pytest
import yaml

from web import Door, key_of
from harness import until as wait_until
from harness.paths import ROOT
from harness.ports import free_port
from harness.process import Process, temp_dir

PROXIES = ROOT / "deploy" / "proxies"


class App(http.server.BaseHTTPRequestHandler):
    """What the proxy protects: answers with what it got."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        text = json.dumps({"body": body, "headers": dict(self.headers)}).encode()
        self.server.seen += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def app():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
    server.seen = 0
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def nginx(folder, text):
    """Around the snippet, which belongs into a http block. One process, so that a kill leaves no worker behind."""
    paths = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "snippet.conf").write_text(text)
    (folder / "nginx.conf").write_text(f"daemon off; master_process off; pid {folder}/pid; error_log stderr;"
                                       f"events {{}} http {{ access_log off; {paths} include {folder}/snippet.conf; }}")
    return ["nginx", "-c", f"{folder}/nginx.conf", "-p", str(folder), "-e", "stderr"]


def caddy(folder, text):
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text)
    return ["caddy", "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


def haproxy(folder, text):
    shutil.copy(PROXIES / "bursar.lua", folder)
    (folder / "haproxy.cfg").write_text(text.replace("/etc/haproxy/bursar.lua", f"{folder}/bursar.lua"))
    return ["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"]


KINDS = {"nginx": (nginx, "nginx.conf"), "caddy": (caddy, "Caddyfile"), "haproxy": (haproxy, "haproxy.cfg")}


class Proxy(Process):
    """One of the three, in front of the app."""

    def __init__(self, kind, app, bursar, key):
        super().__init__(kind, None)
        self.kind, self.port, self.folder = kind, free_port(), pathlib.Path(temp_dir(kind))
        self.log_path = str(self.folder / "log")
        command, snippet = KINDS[kind]
        text = (PROXIES / snippet).read_text()
        for ours, theirs in (("127.0.0.1:8000", f"127.0.0.1:{self.port}"), ("127.0.0.1:8080", f"127.0.0.1:{app.server_port}"),
                             ("127.0.0.1:7421", bursar), ("bsk_KEY", key)):
            text = text.replace(ours, theirs)
        self.spawn(command(self.folder, text), env={
            "BURSAR_KEY": key, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)})
        wait_until(lambda: self.ask("GET", key=None).status == 401, f"{kind} to answer", alive=self)

    def ask(self, method="POST", key="key-of-alice", body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()} | ({"X-Api-Key": key} if key else {})
        return Door(f"127.0.0.1:{self.port}")(method, "/v1/chat", body, **headers)


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    if not shutil.which(request.param, path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip(f"no {request.param} is installed; see deploy/packages")
    return request.param


@pytest.fixture
def front(kind, app, bursard, bots, monkeypatch):
    """A proxy of the kind, whose Bursar allows alice one request a minute, and bob many."""
    monkeypatch.setenv("PATH", os.environ["PATH"] + ":/usr/sbin")
    bots.tier("one", bots.bucket("rpm", "requests", 1))
    bots.tier("many", bots.calendar("day", "requests", 1000))
    bots.account("alice", tier="one")
    bots.account("bob", tier="many")
    key, operator = key_of(bots, 2)
    proxy = Proxy(kind, app, bursard.http_addr, key)
    proxy.app, proxy.bursard, proxy.admin = app, bursard, Door(bursard.http_addr, Authorization=f"Bearer {operator}")
    yield proxy
    proxy.terminate()


def used(front, user):
    daily = front.admin("GET", f"/api/quotas?userId={user}").json
    return daily["daily"]["requests"]["used"], daily["openRequests"]


def test_a_denial_reaches_the_client_as_429_with_its_headers(front):
    allowed = front.ask(body={"hello": 1})
    assert allowed.status == 200 and json.loads(allowed.json["body"]) == {"hello": 1}, allowed.text
    assert "bsk_" not in allowed.text, "Bursar's key is not for the app"
    assert front.kind == "caddy" or 'r=0' in allowed.headers["RateLimit"], "Caddy cannot add them"
    denied = front.ask(body={"hello": 2})
    assert denied.status == 429 and 1 <= int(denied.headers["Retry-After"]) <= 60, (denied.status, denied.text, front.log())
    assert denied.headers["X-Bursar-Reason"] == "request_rate" and 'r=0' in denied.headers["RateLimit"]
    assert denied.json["error"]["code"] == "request_rate" and front.app.seen == 1
    assert front.ask("GET", key="key-of-bob").status == 200


def test_a_request_is_counted_once_and_nothing_stays_open(front):
    for _ in range(3):
        assert front.ask("GET", key="key-of-bob").status == 200
    assert used(front, "bob") == (3, 0)


def test_callers_choose_neither_their_user_nor_what_is_counted(front):
    for _ in range(2):
        answer = front.ask("POST", key="key-of-bob", body={}, X_Bursar_User="eve", X_Bursar_Request_Id="same", Authorization="Bearer own",
                           Origin="https://app.example", X_Bursar_Input_Tokens="5")
        assert answer.status == 200, (answer.status, answer.text, front.log())
    assert used(front, "bob") == (2, 0)
    assert front.ask(key="key-of-nobody", body={}, X_Bursar_User="bob").status == 401


def test_the_suspended_are_forbidden(front):
    front.admin("POST", "/api/quotas", {"userId": "bob", "action": "suspend"})
    assert front.ask("GET", key="key-of-bob").status == 403 and front.app.seen == 0


def test_without_bursar_requests_are_refused_with_503(front):
    front.bursard.stop()
    answer = front.ask("GET", key="key-of-bob")
    assert answer.status == 503 and front.app.seen == 0, (answer.status, front.log())


def test_traefiks_snippet_passes_only_what_bursar_reads():
    """Traefik is not in Debian: at least what is easy to get wrong."""
    document = yaml.safe_load((PROXIES / "traefik.yml").read_text())["http"]
    order = document["routers"]["api"]["middlewares"]
    assert order == ["login", "bursar-key", "bursar", "no-bursar-key"] and set(order) == set(document["middlewares"])
    ask = document["middlewares"]["bursar"]["forwardAuth"]
    assert ask["address"].endswith("/v1/authorize") and ask["authRequestHeaders"] == ["Authorization", "X-Bursar-User"]
    assert document["middlewares"]["login"]["basicAuth"]["headerField"] == "X-Bursar-User"
