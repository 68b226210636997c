#!/usr/bin/python3
"""An imitation of the Telegram Bot API, for tests of bots: the methods that bots use while they answer, long polls, webhooks with
Telegram's retries, and its errors. Nothing but the standard library.

    tests/clients/imitations/telegram.py [--port N]

prints one JSON line, {"url": "http://127.0.0.1:PORT"}, and runs until its standard input is closed. A bot takes the url as its API root;
any token of the form NUMBER:TEXT is a bot with the id NUMBER. A test controls it under /control (JSON, POST unless it says GET):

    message   {bot, user, chat?, text}  a user writes; `user` is an id or a User, `chat` an id or a Chat (default: the private one)
    callback  {bot, user, chat?, message_id, data}   a user presses a button of an inline keyboard
    update    {bot, update}             any update, with the update_id that it has, or the next one
    webhook   {bot, urls?, timeout_s?, pause_s?}   deliveries go to these urls in turn; how long an answer may take (60 s), and how
                                        long it is until a delivery is repeated (1 s, then 2 s, ...)
    fail      {method, times?, chat?, code?, retry_after?, description?, drop?}   the next calls fail; `drop`: no answer at all
    hold      {method, chat?}           calls wait for their answer until `release` {method?}
    GET calls ?method=&chat=&since=&wait=&timeout_s=   calls in the order in which they came, from the `since`-th on; waits until there
                                        are `wait` of them. `came` and `ended` are seconds of the monotonic clock
    GET chat  ?bot=&chat=               the bot's messages in a chat as they look now
    GET deliveries ?bot=                attempts to deliver to a webhook: update_id, url, attempt, status (0 = no answer), came, ended

Unlike Telegram it accepts webhooks without TLS, and it has no rate limits but those that `fail` asks for."""
import argparse
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

import telegram_methods
from telegram_state import Failure, Telegram

CONTROL_WAIT_S = 30
TEXTS = ("text", "data", "url", "secret_token", "description")


def parameters(handler):
    """What a call says, in any form that Telegram accepts: query, urlencoded, multipart or JSON."""
    url = urllib.parse.urlsplit(handler.path)
    found = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)) if "chunked" not in handler.headers.get(
        "Transfer-Encoding", "") else read_chunks(handler.rfile)
    kind = handler.headers.get("Content-Type", "")
    if body and "json" in kind:
        found |= json.loads(body)
    elif body and "urlencoded" in kind:
        found |= dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    elif body and "multipart" in kind:
        boundary = b"--" + re.search('boundary="?([^";]+)', kind)[1].encode()
        for part in body.split(boundary)[1:-1]:
            head, _, value = part.partition(b"\r\n\r\n")
            found[re.search(r'name="?([^";\r]+)', head.decode())[1]] = value[:-2].decode()
    return url.path, found


def read_chunks(stream):
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def structured(value):
    """Forms carry objects, numbers and booleans as JSON text."""
    if isinstance(value, str) and (value[:1] in "[{" or value in ("true", "false") or re.fullmatch(r"-?\d{1,18}", value)):
        try:
            return json.loads(value)
        except ValueError:
            pass
    return value


def read(asked):
    """The parameters as JSON would have them. A text stays one, also when it looks like a number."""
    return {name: value if name in TEXTS else structured(value) for name, value in asked.items()}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        path, asked = parameters(self)
        if path.startswith("/control/"):
            return self.control(path.removeprefix("/control/"), asked)
        found = re.fullmatch(r"/bot(\d+):[^/]+/(\w+)", path)
        if not found:
            return self.answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        return self.call(int(found[1]), found[2], read(asked))

    do_GET = do_POST

    def call(self, bot_id, method, asked):
        telegram = self.server.telegram
        call = telegram.came(bot_id, method, asked)
        try:
            telegram.fail_or_wait(call)
            result = telegram.run(telegram, call)
            status, body = 200, {"ok": True, "result": result}
        except Failure as failure:
            status, body = failure.code, failure.body()
        telegram.ended(call, body)
        if status:
            self.answer(status, body)
        else:  # dropped
            self.close_connection = True

    def control(self, verb, asked):
        telegram = self.server.telegram
        try:
            self.answer(200, getattr(self, "control_" + verb)(telegram, read(asked)))
        except (AttributeError, KeyError, TypeError) as problem:
            self.answer(400, {"error": f"{verb}: {problem!r}"})

    @staticmethod
    def control_message(telegram, asked):
        user, chat = telegram_methods.people(asked["user"], asked.get("chat"))
        text = asked["text"]
        command = re.match(r"/\w+(@\w+)?", text)
        entities = {"entities": [{"type": "bot_command", "offset": 0, "length": command.end()}]} if command else {}
        thread = {"message_thread_id": asked["thread"], "is_topic_message": True} if "thread" in asked else {}
        message = {"message_id": telegram.next_message_id(chat), "date": int(time.time()), "chat": chat, "from": user, "text": text}
        return telegram.push(asked["bot"], {"message": message | entities | thread})

    @staticmethod
    def control_callback(telegram, asked):
        user, chat = telegram_methods.people(asked["user"], asked.get("chat"))
        message = telegram.chat_of(asked["bot"], chat["id"]).get(asked["message_id"]) or {"message_id": asked["message_id"], "chat": chat, "date": 0}
        return telegram.push(asked["bot"], {"callback_query": {"id": str(telegram.next_number()), "from": user, "chat_instance": str(chat["id"]),
                                                               "message": message, "data": asked["data"]}})

    @staticmethod
    def control_update(telegram, asked):
        return telegram.push(asked["bot"], asked["update"])

    @staticmethod
    def control_webhook(telegram, asked):
        return telegram.set_delivery(asked.pop("bot"), **asked)

    @staticmethod
    def control_fail(telegram, asked):
        return telegram.plan(asked)

    @staticmethod
    def control_hold(telegram, asked):
        return telegram.hold(asked)

    @staticmethod
    def control_release(telegram, asked):
        return telegram.release(asked.get("method"))

    @staticmethod
    def control_calls(telegram, asked):
        return telegram.calls_of(asked.get("method"), asked.get("chat"), asked.get("since", 0), asked.get("wait", 0),
                                 asked.get("timeout_s", CONTROL_WAIT_S))

    @staticmethod
    def control_chat(telegram, asked):
        with telegram.changed:
            return {"messages": list(telegram.chat_of(asked["bot"], asked["chat"]).values())}

    @staticmethod
    def control_deliveries(telegram, asked):
        with telegram.changed:
            return {"deliveries": [dict(one) for one in telegram.bot(asked["bot"]).deliveries]}

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        try:
            self.end_headers()
            self.wfile.write(text)
        except OSError:  # the caller is gone
            self.close_connection = True

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # callers that are killed end their connections
            super().handle_error(request, client_address)


def main():
    options = argparse.ArgumentParser(description="an imitation of the Telegram Bot API")
    options.add_argument("--port", type=int, default=0)
    server = Server(("127.0.0.1", options.parse_args().port), Handler)
    server.telegram = Telegram(telegram_methods.run)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
