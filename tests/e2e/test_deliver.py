"""What carries alerts, against real servers: HTTP, HTTPS and SMTP. Nothing decides here what is sent: tests/harness/deliver_tool sends it.

aiosmtpd and standardwebhooks come from PyPI and npm, pinned; without these registries the tests that need them are skipped.
"""
import contextlib
import email
import email.policy
import functools
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time

import pytest

from certificates import Authority
from destinations import Hook, aiosmtpd, hook, mail, pip  # noqa: F401
from harness.paths import build

SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
HERE = {"alert_allow": "127.0.0.0/8,::1"}


class Tool:
    """Sends one message a call and answers what became of it."""

    def __init__(self, **options):
        words = [f"{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen([build() / "tests" / "deliver_tool", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def say(self, line):
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def resolve(self, **names):
        self.say({"resolve": {f"{name}.test": answers for name, answers in names.items()}})

    def __call__(self, kind, **members):
        self.say({"kind": kind, "message_id": "msg_1", "now_us": int(time.time() * 1e6), "account": "ann", **members})
        return json.loads(self.process.stdout.readline())

    def webhook(self, url, **members):
        return self("webhook", **{"target": url, "secrets": SECRETS, **members})

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0


@pytest.fixture
def tool():
    """tool(**options): one that ends, and must end well, with the test."""
    made = []

    def make(**options):
        made.append(Tool(**options))
        return made[-1]

    yield make
    for one in made:
        one.end()


@functools.cache
def context_of(authority, name="localhost", alternative="IP:127.0.0.1,DNS:localhost", **how):
    cert, key = authority.issue(name, alternative=alternative, **how)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


# HTTP.

def test_a_webhook_has_the_headers_of_the_standard(tool, hook):
    sent = tool(**HERE).webhook(hook.url, headers=["Authorization: Bearer abc", "X-Team: a: b"])
    assert sent["outcome"] == "done" and sent["status"] == 204 and sent["error"] == ""
    path, headers, body = hook.requests[0]
    assert path == "/hook" and headers["Authorization"] == "Bearer abc" and headers["X-Team"] == "a: b"
    assert headers["webhook-id"] == "msg_1" and abs(int(headers["webhook-timestamp"]) - time.time()) < 3600
    assert len(headers["webhook-signature"].split()) == 2 and headers["User-Agent"].startswith("bursar/")
    assert headers["Content-Type"] == "application/json" and "Expect" not in headers
    assert json.loads(body)["data"]["account"] == "ann"


def test_signatures_are_verified_by_the_packages_of_pypi(tool, hook, tmp_path):
    pip(tmp_path, "standardwebhooks==1.1.0")
    tool(**HERE).webhook(hook.url)
    _, headers, body = hook.requests[0]
    (tmp_path / "body").write_bytes(body)
    script = ("import json, sys\nfrom standardwebhooks.webhooks import Webhook, WebhookVerificationError\n"
              "secret, headers = sys.argv[1], json.loads(sys.argv[2])\nbody = open(sys.argv[3], 'rb').read()\n"
              "try:\n    print(Webhook(secret).verify(body.decode(), headers)['type'])\nexcept WebhookVerificationError:\n    print('wrong')\n")

    def verify(secret):
        return subprocess.run([sys.executable, "-c", script, secret, json.dumps({name.lower(): value for name, value in headers.items()}),
                               tmp_path / "body"], capture_output=True, text=True, check=True, timeout=60,
                              env={**os.environ, "PYTHONPATH": str(tmp_path)}).stdout.strip()

    assert [verify(secret) for secret in SECRETS] == ["bursar.alert"] * 2
    assert verify("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") == "wrong"


def test_signatures_are_verified_by_the_package_of_npm(tool, hook, tmp_path):
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    done = subprocess.run(["npm", "install", "--prefix", tmp_path, "--ignore-scripts", "--no-audit", "--no-fund", "standardwebhooks@1.1.1"],
                          capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip("npm's registry cannot be reached")
    tool(**HERE).webhook(hook.url)
    _, headers, body = hook.requests[0]
    (tmp_path / "body").write_bytes(body)
    (tmp_path / "verify.cjs").write_text(
        "const { Webhook } = require('standardwebhooks');\nconst [secret, headers, path] = process.argv.slice(2);\n"
        "const body = require('fs').readFileSync(path, 'utf8');\n"
        "try { console.log(new Webhook(secret).verify(body, JSON.parse(headers)).type) } catch (error) { console.log('wrong') }\n")

    def verify(secret):
        return subprocess.run(["node", tmp_path / "verify.cjs", secret, json.dumps({name.lower(): value for name, value in headers.items()}),
                               tmp_path / "body"], capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    assert [verify(secret) for secret in SECRETS] == ["bursar.alert"] * 2
    assert verify("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") == "wrong"


@pytest.mark.parametrize("status,outcome", [(200, "done"), (202, "done"), (299, "done"), (400, "dead"), (401, "dead"), (404, "dead"),
                                            (410, "dead"), (408, "retry"), (425, "retry"), (429, "retry"), (500, "retry"), (503, "retry")])
def test_a_status_decides(tool, hook, status, outcome):
    hook.answer(status, b"first line\nsecond")
    sent = tool(**HERE).webhook(hook.url)
    assert (sent["outcome"], sent["status"]) == (outcome, status)
    assert sent["error"] == ("" if outcome == "done" else f"HTTP {status}: first line")


def test_a_pause_that_is_asked_for_is_told(tool, hook):
    send = tool(**HERE).webhook
    hook.answer(429, Retry_After="7")
    hook.answer(503, Retry_After=email.utils.format_datetime(email.utils.datetime.datetime.now(email.utils.datetime.timezone.utc)
                                                             + email.utils.datetime.timedelta(hours=2), usegmt=True))
    hook.answer(429, b'{"message": "You are being rate limited.", "retry_after": 0.65, "global": false}')
    hook.answer(429, b'{"ok":false,"error_code":429,"parameters":{"retry_after":5}}', Retry_After="3")
    hook.answer(429, b"later", Retry_After="soon")
    assert send(hook.url)["retry_after_us"] == 7_000_000
    assert 7_000e6 < send(hook.url)["retry_after_us"] <= 7_200e6
    assert [send(hook.url)["retry_after_us"] for _ in range(3)] == [650_000, 5_000_000, 0]


def test_a_redirect_is_not_followed(tool, hook):
    with contextlib.closing(Hook()) as other:
        hook.answer(302, Location=other.url)
        sent = tool(**HERE).webhook(hook.url)
        assert sent["outcome"] == "dead" and "redirect" in sent["error"] and not other.requests


def test_an_endless_answer_is_not_read_to_its_end(tool, hook):
    hook.answer(200, b"x" * 5_000_000)
    hook.answer(500, b"y" * 5_000_000)
    send = tool(**HERE).webhook
    assert send(hook.url)["outcome"] == "done"
    sent = send(hook.url)
    assert sent["outcome"] == "retry" and sent["error"].startswith("HTTP 500: yyy") and len(sent["error"]) < 256


def test_a_destination_that_says_nothing_is_tried_again(tool):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sent = tool(alert_timeout_ms=500, **HERE).webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert sent["outcome"] == "retry" and sent["status"] == 0 and "alert_timeout_ms" in sent["error"]


def test_an_answer_whose_body_stalls_is_an_answer(tool, hook):
    hook.answer(200, b"some", Content_Length="1000")
    assert tool(alert_timeout_ms=1000, **HERE).webhook(hook.url)["outcome"] == "done"


def test_nobody_there_is_tried_again(tool):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    sent = tool(**HERE).webhook(f"http://127.0.0.1:{port}/")
    assert (sent["outcome"], sent["status"]) == ("retry", 0) and sent["error"]


def test_a_proxy_of_the_environment_is_not_used(tool, hook, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert tool(**HERE).webhook(hook.url)["outcome"] == "done"


def test_certificates_are_verified(tool, authority, tmp_path):
    other = Authority(tmp_path, "other")
    send = tool(alert_ca=authority.cert, **HERE).webhook
    for context, outcome in ((context_of(authority), "done"), (context_of(other), "retry"),
                             (context_of(authority, expired=True), "retry"),
                             (context_of(authority, name="b", alternative="DNS:elsewhere.example.org"), "retry")):
        with contextlib.closing(Hook(context)) as server:
            sent = send(server.url)
            assert sent["outcome"] == outcome and bool(server.requests) == (outcome == "done"), sent
            assert outcome == "done" or "SSL" in sent["error"] or "certificate" in sent["error"], sent


@pytest.mark.parametrize("kind,members,path,text", [
    ("slack", {"url": "/services/T/B/x"}, "/services/T/B/x", ("text",)),
    ("discord", {"url": "/api/webhooks/1/x"}, "/api/webhooks/1/x", ("content",)),
    ("teams", {"url": "/workflows/x"}, "/workflows/x", ("attachments", 0, "content", "body", 1, "text")),
    ("telegram", {"url": "/", "token": "12:ab", "target": "-100"}, "/bot12:ab/sendMessage", ("text",))])
def test_chats_get_their_own_form(tool, hook, kind, members, path, text):
    base = hook.url.removesuffix("/hook")
    sent = tool(**HERE)(kind, **{**members, "url": base + members["url"]})
    assert sent["outcome"] == "done", sent
    value = json.loads(hook.requests[0][2])
    for step in text:
        value = value[step]
    assert hook.requests[0][0] == path and "80%" in value and "webhook-id" not in hook.requests[0][1]


def test_an_error_names_no_secret(tool, hook):
    hook.answer(400, b"no such path: /bot12:ab-secret/sendMessage")
    sent = tool(**HERE)("telegram", url=hook.url.removesuffix("/hook"), token="12:ab-secret", target="-100")
    assert sent["error"] == "HTTP 400: no such path: /bot***/sendMessage"


@pytest.mark.parametrize("said, error", [
    ("Cannot POST /services/T0/{secret}", "Cannot POST ***"),
    ("hook {secret} is unknown", "hook *** is unknown"),
    ("x" * 140 + " {secret}", "x" * 140 + " ***")])
def test_an_error_names_no_part_of_a_secret_url(tool, hook, said, error):
    secret = "slack1234567890abcdefghi"
    hook.answer(404, said.format(secret=secret).encode())
    sent = tool(**HERE)("slack", url=hook.url.replace("/hook", f"/services/T0/{secret}"))
    assert sent["error"] == f"HTTP 404: {error}"


def test_an_error_names_no_part_of_a_header(tool, hook):
    hook.answer(401, b"t0ken-9876 has expired; got Bearer t0ken-9876")
    assert tool(**HERE).webhook(hook.url, headers=["Authorization: Bearer t0ken-9876"])["error"] == "HTTP 401: *** has expired; got ***"


# Where alerts may not go.

@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1",
                                  "169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]",
                                  "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[fc00::1]", "[fe80::1]", "[64:ff9b::127.0.0.1]",
                                  "[2002:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[ff02::1]", "[::127.0.0.1]", "localhost"])
def test_a_special_address_is_dead(tool, host):
    sent = tool().webhook(f"https://{host}:9/")
    assert sent["outcome"] == "dead" and sent["status"] == 0 and "alert_allow" in sent["error"], sent


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["::1"], ["10.0.0.5", "192.168.3.4"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]])
def test_a_name_that_leads_into_a_private_network_is_dead(tool, answers):
    carrier = tool()
    carrier.resolve(inside=[answers])
    sent = carrier.webhook("https://inside.test:9/")
    assert sent["outcome"] == "dead" and "alert_allow" in sent["error"], sent


def test_a_name_that_changes_its_address_is_judged_each_time(tool, hook):
    """The first answer is allowed; the next one, as of a server that rebinds, is not."""
    carrier = tool(alert_allow="127.0.0.1")
    carrier.resolve(rebind=[["127.0.0.1"], ["127.0.0.2"]])
    url = f"http://rebind.test:{hook.port}/"
    assert carrier.webhook(url)["outcome"] == "done"
    sent = carrier.webhook(url)
    assert sent["outcome"] == "dead" and "127.0.0.2 is loopback" in sent["error"] and len(hook.requests) == 1


def test_an_allowed_address_of_a_name_is_used(tool, hook):
    carrier = tool(alert_allow="127.0.0.1")
    carrier.resolve(both=[["127.0.0.1", "10.255.0.1", "::1"]])
    assert carrier.webhook(f"http://both.test:{hook.port}/")["outcome"] == "done"


def test_without_tls_only_allowed_networks_are_reached(tool):
    carrier = tool(alert_allow="10.0.0.0/8")
    carrier.resolve(public=[["93.184.216.34"]])
    sent = carrier.webhook("http://public.test:9/")
    assert sent["outcome"] == "dead" and "without TLS" in sent["error"]


def test_a_name_server_that_never_answers_does_not_hold_a_thread(tool, monkeypatch):
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")  # the thread that waits still has its memory
    carrier = tool(alert_timeout_ms=500, **HERE)
    carrier.resolve()
    sent = carrier.webhook("https://never.test/")
    assert sent["outcome"] == "retry" and "alert_timeout_ms" in sent["error"]


def test_other_protocols_are_refused(tool):
    assert tool().webhook("file:///etc/passwd") == {"refused": "target"}
    assert tool().webhook("gopher://127.0.0.1:25/_x") == {"refused": "target"}


# E-mail.

@pytest.fixture
def certified(authority):
    cert, key = authority.issue("localhost", alternative="IP:127.0.0.1,DNS:localhost")
    return {"cert": cert, "key": key}


def relay(server, scheme="smtp", login="", **options):
    return {"smtp": f"{scheme}://{login}127.0.0.1:{server.port}", "smtp_from": "Bürsar <bursar@example.org>", **options}


IN_THE_CLEAR = {"smtp_tls": "optional"}


def test_a_mail_has_text_html_and_its_headers(tool, mail):
    server = mail()
    sent = tool(**relay(server, **IN_THE_CLEAR))("email", target="ops@example.org, on-call@example.org", language="ru", account=".ann <x@y>")
    assert sent["outcome"] == "done" and sent["error"] == "", sent
    got = server.letter()
    letter = email.message_from_bytes(got["data"].encode("latin-1"), policy=email.policy.default)
    assert got["from"] == "bursar@example.org" and got["to"] == ["ops@example.org", "on-call@example.org"]
    assert all(byte < 128 for byte in got["data"].encode("latin-1"))
    assert letter["Subject"] == "[Bursar] Пользователь .ann <x@y>: 80% лимита month"
    assert letter["From"] == "Bürsar <bursar@example.org>" and letter["To"] == "ops@example.org, on-call@example.org"
    assert letter["Message-ID"] == "<msg_1@example.org>" and letter["Auto-Submitted"] == "auto-generated"
    assert letter["MIME-Version"] == "1.0" and abs(letter["Date"].datetime.timestamp() - time.time()) < 3600
    assert letter.get_content_type() == "multipart/alternative" and not letter.defects
    text, html = letter.iter_parts()
    assert text.get_content_type() == "text/plain" and "достигнуто 80% лимита month" in text.get_content()
    assert html.get_content_type() == "text/html" and "&lt;x@y&gt;" in html.get_content() and "<x@y>" not in html.get_content()
    lines = [line for line in got["data"].split("\r\n") if "boundary=" not in line]  # that one is curl's, and longer
    assert max(map(len, lines)) <= 78 and "\n" not in got["data"].replace("\r\n", "")


def test_a_template_cannot_begin_a_header_or_end_a_mail(tool, mail):
    server = mail()
    send = tool(**relay(server, **IN_THE_CLEAR))
    assert send("email", target="ops@example.org", title="a\r\nBcc: x@example.org") == {"refused": "title"}
    assert send("email", target="ops@example.org>\r\nRCPT TO:<x@example.org") == {"refused": "target"}
    assert send("email", target="ops@example.org", body=".\n.\nQUIT\n..two")["outcome"] == "done"
    letter = email.message_from_bytes(server.letter()["data"].encode("latin-1"), policy=email.policy.default)
    assert next(letter.iter_parts()).get_content().splitlines()[:4] == [".", ".", "QUIT", "..two"]


def test_starttls_is_required_unless_it_is_optional(tool, mail, authority, certified):
    plain, secure = mail(), mail(starttls=True, **certified)
    sent = tool(**relay(plain))("email", target="ops@example.org")
    assert sent["outcome"] == "retry" and plain.letters_left() == 0 and sent["error"], sent
    for tls in ("required", "optional"):
        assert tool(**relay(secure, smtp_ca=authority.cert, smtp_tls=tls))("email", target="ops@example.org")["outcome"] == "done"
        assert secure.letter()["tls"]


@pytest.mark.parametrize("scheme,server", [("smtp", {"starttls": True}), ("smtps", {"smtps": True})])
def test_a_wrong_certificate_is_refused_also_where_tls_is_optional(tool, mail, tmp_path, authority, scheme, server):
    other = Authority(tmp_path, "other")
    wrong = {"unknown": other.issue("a", alternative="IP:127.0.0.1"), "name": authority.issue("b", alternative="DNS:elsewhere.example.org"),
             "expired": authority.issue("c", expired=True)}
    for why, (cert, key) in wrong.items():
        relayed = mail(cert=cert, key=key, **server)
        for tls in ("required", "optional"):
            sent = tool(**relay(relayed, scheme, smtp_ca=authority.cert, smtp_tls=tls))("email", target="ops@example.org")
            assert sent["outcome"] == "retry" and ("SSL" in sent["error"] or "certificate" in sent["error"]), (why, sent)
        assert relayed.letters_left() == 0


def test_smtps_and_a_password(tool, mail, authority, certified):
    server = mail(smtps=True, auth=True, **certified)
    send = tool(**relay(server, "smtps", "bursar:p%40ss@", smtp_ca=authority.cert))
    assert send("email", target="ops@example.org")["outcome"] == "done"
    got = server.letter()
    assert got["auth"] and got["from"] == "bursar@example.org"
    sent = tool(**relay(server, "smtps", "bursar:wrong@", smtp_ca=authority.cert))("email", target="ops@example.org")
    assert sent["outcome"] == "retry" and sent["status"] == 535 and "wrong" not in sent["error"], sent


@pytest.mark.parametrize("options,outcome,status", [
    ({"mail": "451 later"}, "retry", 451), ({"mail": "550 never"}, "dead", 550), ({"mail": "530 Must issue a STARTTLS command first"}, "retry", 530),
    ({"data": "452 full"}, "retry", 452), ({"data": "554 spam"}, "dead", 554),
    ({"rcpt": {"ops@example.org": ["450 greylisted"]}}, "retry", 450), ({"rcpt": {"ops@example.org": ["550 no such user"]}}, "dead", 550)])
def test_an_answer_about_the_mail_decides(tool, mail, options, outcome, status):
    sent = tool(**relay(mail(**options), **IN_THE_CLEAR))("email", target="ops@example.org")
    assert (sent["outcome"], sent["status"]) == (outcome, status) and str(status) in sent["error"], sent


def test_who_is_refused_for_good_keeps_nobody_from_it(tool, mail):
    server = mail(rcpt={"gone@example.org": ["550 no such user"]})
    assert tool(**relay(server, **IN_THE_CLEAR))("email", target="gone@example.org,ops@example.org")["outcome"] == "done"
    assert server.letter()["to"] == ["ops@example.org"]


def test_who_is_greylisted_gets_it_later_and_nobody_twice(tool, mail):
    server = mail(rcpt={"grey@example.org": ["451 greylisted", "250 OK"]})
    send = tool(**relay(server, **IN_THE_CLEAR))
    sent = send("email", target="ops@example.org,grey@example.org")
    assert sent["outcome"] == "retry" and "1 of 2" in sent["error"] and "greylisted" in sent["error"], sent
    assert send("email", target="ops@example.org,grey@example.org")["outcome"] == "done"
    assert [server.letter()["to"] for _ in range(2)] == [["ops@example.org"], ["grey@example.org"]]
    assert send("email", target="ops@example.org,grey@example.org", message_id="msg_2")["outcome"] == "done"
    assert server.letter()["to"] == ["ops@example.org", "grey@example.org"]


def test_one_refused_for_now_and_one_for_good_is_tried_again(tool, mail):
    server = mail(rcpt={"grey@example.org": ["451 greylisted"], "gone@example.org": ["550 no"]})
    sent = tool(**relay(server, **IN_THE_CLEAR))("email", target="grey@example.org,gone@example.org")
    assert sent["outcome"] == "retry", sent


def test_a_server_that_does_not_answer_quit_has_taken_the_mail(tool, mail):
    server = mail(no_quit=True)
    assert tool(alert_timeout_ms=3000, **relay(server, **IN_THE_CLEAR))("email", target="ops@example.org")["outcome"] == "done"


def test_without_a_server_a_mail_waits(tool):
    sent = tool()("email", target="ops@example.org")
    assert (sent["outcome"], sent["error"]) == ("retry", "the option smtp is not set")
