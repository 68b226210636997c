"""Destinations of alerts: an HTTP server that answers what a test tells it, and an SMTP server (aiosmtpd, from PyPI)."""
import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading

import pytest


class Hook:
    """An HTTP server that answers what it was told, once each, and the last again and again."""

    def __init__(self, context=None, address="127.0.0.1"):
        self.answers, self.requests = [], []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.requests.append((self.path, self.headers, body))
                status, headers, answer = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0] if hook.answers else (204, {}, b"")
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

            def handle_error(self, *_):
                pass  # a handshake that the client refuses

        self.server = Server((address, 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, status, body=b"", **headers):
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, body))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hook():
    with contextlib.closing(Hook()) as server:
        yield server


def pip(folder, *packages):
    """Installs from PyPI; skips the test where that cannot be."""
    done = subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--target", folder, *packages],
                          capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"PyPI: {done.stderr.strip().splitlines()[-1]}")


SMTP_SERVER = '''
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
options = json.loads(sys.argv[1])
context = None
if options.get("cert"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["cert"], options["key"])
seen = {}

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        answers = options.get("rcpt", {}).get(address, ["250 OK"])
        seen[address] = seen.get(address, -1) + 1
        answer = answers[min(seen[address], len(answers) - 1)]
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if options.get("mail"):
            return options["mail"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode("latin-1"),
                          "tls": session.ssl is not None, "auth": session.authenticated}), flush=True)
        return options.get("data", "250 OK")

    async def handle_QUIT(self, server, session, envelope):
        if options.get("no_quit"):
            await asyncio.sleep(3600)
        return "221 Bye"

def authenticate(server, session, envelope, mechanism, data):
    # handled: without it, aiosmtpd takes the refusal for answered and says nothing.
    return AuthResult(success=(data.login, data.password) == (b"bursar", b"p@ss"), handled=False)

def make():
    starttls = context if options.get("starttls") else None
    return SMTP(Handler(), hostname="mail.test", tls_context=starttls, require_starttls=bool(options.get("require")), decode_data=False,
                authenticator=authenticate if options.get("auth") else None, auth_required=bool(options.get("auth")),
                auth_require_tls=bool(starttls))

async def main():
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context if options.get("smtps") else None)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()

asyncio.run(main())
'''


@pytest.fixture(scope="module")
def aiosmtpd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aiosmtpd")
    pip(folder, "aiosmtpd==1.4.6")
    return folder


class Mail:
    """An SMTP server in a process of its own, whose letters are lines of its output."""

    def __init__(self, packages, **options):
        self.process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", SMTP_SERVER, json.dumps(options, default=str)],
                                        stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(packages)})
        self.port = json.loads(self.process.stdout.readline())["port"]

    def letter(self):
        return json.loads(self.process.stdout.readline())

    def letters_left(self):
        """What it has got and nobody has read; ends it."""
        self.process.kill()
        return len(self.process.stdout.readlines())


@pytest.fixture
def mail(aiosmtpd):
    made = []

    def make(**options):
        made.append(Mail(aiosmtpd, **options))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.process.wait()
        one.process.stdout.close()
