"""The imitation of Telegram that the client packages are tested with (tests/clients): what a bot and a test see of it."""
import http.server
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from harness.paths import ROOT

PROGRAM = ROOT / "tests" / "clients" / "imitations" / "telegram.py"


class Api:
    def __init__(self, url):
        self.url = url

    def post(self, path, **asked):
        request = urllib.request.Request(f"{self.url}/{path}", json.dumps(asked).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def bot(self, method, **asked):
        return self.post(f"bot7:secret/{method}", **asked)

    def control(self, verb, **asked):
        return self.post(f"control/{verb}", **asked)


@pytest.fixture(name="api")
def _api():
    with subprocess.Popen([sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Api(json.loads(process.stdout.readline())["url"])
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.fixture(name="hook")
def _hook():
    """A bot's webhook, which answers what `answers` has, then 200."""
    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.came.append((body, self.headers.get("X-Telegram-Bot-Api-Secret-Token")))
            status, text = self.server.answers.pop(0) if self.server.answers else (200, b"")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.came, server.answers = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_long_poll_waits_for_a_message_and_an_offset_confirms_it(api):
    found = []
    poll = threading.Thread(target=lambda: found.append(api.bot("getUpdates", timeout=30)))
    poll.start()
    api.control("calls", method="getUpdates", wait=1)
    pushed = api.control("message", bot=7, user=42, text="/start now")
    poll.join()
    [update] = found[0]["result"]
    assert update["update_id"] == pushed["update_id"] and update["message"]["from"]["id"] == update["message"]["chat"]["id"] == 42
    assert update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert api.bot("getUpdates")["result"] == [update], "it comes again until it is confirmed"
    assert api.bot("getUpdates", offset=update["update_id"] + 1)["result"] == []


def test_a_second_poll_ends_the_first(api):
    found = []
    poll = threading.Thread(target=lambda: found.append(api.bot("getUpdates", timeout=30)))
    poll.start()
    api.control("calls", method="getUpdates", wait=1)
    assert api.bot("getUpdates")["ok"]
    poll.join()
    assert found[0]["error_code"] == 409


def test_messages_are_sent_edited_and_deleted_with_telegrams_errors(api):
    assert api.bot("sendMessage", chat_id=42, text="hello")["description"] == "Bad Request: chat not found"
    api.control("message", bot=7, user=42, text="hello")
    sent = api.bot("sendMessage", chat_id=42, text="1")["result"]
    edit = {"chat_id": 42, "message_id": sent["message_id"]}
    assert api.bot("editMessageText", text="2", **edit)["result"]["text"] == "2"
    assert "not modified" in api.bot("editMessageText", text="2", **edit)["description"]
    assert [message["text"] for message in api.control("chat", bot=7, chat=42)["messages"]] == ["2"]
    assert api.bot("deleteMessage", **edit)["result"] is True
    assert "not found" in api.bot("editMessageText", text="3", **edit)["description"]
    assert api.bot("sendMessage", chat_id=42, text="x" * 4097)["description"] == "Bad Request: message is too long"
    assert api.bot("sendNothing")["error_code"] == 404


def test_forms_are_read_like_json(api):
    api.control("message", bot=7, user=42, text="hello")
    request = urllib.request.Request(f"{api.url}/bot7:secret/sendMessage", b"chat_id=42&text=17&reply_markup=%7B%22inline_keyboard%22%3A%5B%5D%7D")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.loads(answer.read())["result"]["text"] == "17"
    body = "\r\n".join(["--b", 'Content-Disposition: form-data; name="chat_id"', "", "42", "--b", 'Content-Disposition: form-data; name="text"', "", "two\r\nlines",
                        "--b--", ""])
    request = urllib.request.Request(f"{api.url}/bot7:secret/sendMessage", body.encode(), {"Content-Type": "multipart/form-data; boundary=b"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.loads(answer.read())["result"]["text"] == "two\r\nlines"


def test_a_test_orders_failures_and_pauses(api):
    api.control("fail", method="getMe", retry_after=3)
    failed = api.bot("getMe")
    assert failed["error_code"] == 429 and failed["parameters"] == {"retry_after": 3}
    assert api.bot("getMe")["result"]["id"] == 7
    api.control("hold", method="getMe")
    call = threading.Thread(target=api.bot, args=("getMe",))
    call.start()
    assert api.control("calls", method="getMe", wait=3)["calls"][2]["ended"] is None
    api.control("release")
    call.join()
    assert api.control("calls", method="getMe")["calls"][2]["ended"] is not None


def test_a_webhook_is_called_until_it_answers_with_success(api, hook):
    hook.answers = [(500, b""), (200, b'{"method": "sendMessage", "chat_id": 42, "text": "in the answer"}')]
    api.control("webhook", bot=7, pause_s=0.01)
    assert api.bot("setWebhook", url=f"http://127.0.0.1:{hook.server_port}/hook", secret_token="s3")["ok"]
    pushed = api.control("message", bot=7, user=42, text="hello")
    assert api.control("calls", method="sendMessage", wait=1)["calls"][0]["params"]["text"] == "in the answer"
    deliveries = api.control("deliveries", bot=7)["deliveries"]
    assert [(one["update_id"], one["attempt"], one["status"]) for one in deliveries] == [(pushed["update_id"], 1, 500), (pushed["update_id"], 2, 200)]
    assert hook.came[0] == hook.came[1] and hook.came[0][1] == "s3"
    assert api.bot("getUpdates")["error_code"] == 409
