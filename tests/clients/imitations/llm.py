#!/usr/bin/python3
"""An imitation of an LLM provider for tests: it answers in the shapes of OpenAI (chat completions, responses, embeddings), Anthropic and
Gemini, streams, reports usage, counts requests, and fails when told to. Standard library only.

    tests/clients/imitations/llm.py [--port N] [--stay]

It prints one line, {"url": "http://127.0.0.1:PORT"}, and ends when its standard input closes (not with --stay). Base URLs for SDKs: OpenAI
takes url + "/v1", the others take url. Any key is accepted.

Control, as JSON over HTTP:
    POST /control/set       any of: {"usage": {"input": 1000, "cached": 600, "write": 0, "output": 500, "reasoning": 200} or null,
                            "text": "what it answers", "tool_rounds": 0, "arguments": {}, "hold_after": null, "fail": [FAILURE, ...]}
                            `usage` is of each request, in one neutral form that is turned into each provider's; null = none is reported.
                            `tool_rounds`: as many rounds of a conversation call the first tool offered, with `arguments`.
                            `hold_after`: a stream stops after this many words until /control/release or the client leaves.
    FAILURE                 {"status": 429, "headers": {}, "body": {}}, or {"after": 2}: a stream breaks off after two words. Each is used once
    GET  /control/requests  {"count": N, "requests": [{"path", "headers", "body", "ended": null|"answered"|"failed"|"aborted"}]}
    GET  /control/wait?count=N&ended=aborted   answers when so many requests have arrived (or ended so); 503 after 60 s
    POST /control/release   lets streams that are held go on
    POST /control/reset     the settings and the counts of the start
"""
import argparse
import copy
import http.server
import json
import select
import socket
import sys
import threading
import urllib.parse

from llm_shapes import SHAPES, embeddings

DEFAULTS = {
    "usage": {"input": 1000, "cached": 600, "write": 0, "output": 500, "reasoning": 200},
    "text": "Hello there, this is the answer.", "tool_rounds": 0, "arguments": {}, "hold_after": None, "fail": [],
}
WAIT_S = 60


class State:
    """What was set, and which requests have come."""

    def __init__(self):
        self.changed = threading.Condition()
        self.reset()

    def reset(self):
        with self.changed:
            self.settings, self.requests, self.released = copy.deepcopy(DEFAULTS), [], threading.Event()
            self.changed.notify_all()

    def set(self, values):
        unknown = set(values) - set(DEFAULTS)
        if unknown:
            raise ValueError(f"unknown settings: {sorted(unknown)}")
        with self.changed:
            if "hold_after" in values:
                self.released = threading.Event()
            self.settings = self.settings | values

    def add(self, path, headers, body):
        """(the new request, the settings for it, its failure or None)"""
        request = {"path": path, "headers": headers, "body": body, "ended": None}
        with self.changed:
            self.requests.append(request)
            failure = self.settings["fail"].pop(0) if self.settings["fail"] else None
            self.changed.notify_all()
            return request, self.settings, failure

    def end(self, request, how):
        with self.changed:
            request["ended"] = how
            self.changed.notify_all()

    def wait(self, count, ended):
        def there():
            return sum(not ended or request["ended"] == ended for request in self.requests) >= count
        with self.changed:
            return self.changed.wait_for(there, WAIT_S)

    def seen(self):
        with self.changed:
            return {"count": len(self.requests), "requests": copy.deepcopy(self.requests)}


class Llm(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        state, url = self.server.state, urllib.parse.urlsplit(self.path)
        if url.path == "/control/requests":
            return self.send_json(200, state.seen())
        if url.path == "/control/wait":
            query = dict(urllib.parse.parse_qsl(url.query))
            came = state.wait(int(query.get("count", 1)), query.get("ended"))
            return self.send_json(200 if came else 503, state.seen())
        return self.send_json(404, {"error": {"message": f"no such path: {self.path}", "type": "invalid_request_error"}})

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urllib.parse.urlsplit(self.path).path
        if path.startswith("/control/"):
            return self.control(path, text)
        body = json.loads(text or b"{}")
        request, settings, failure = self.server.state.add(path, {name.lower(): value for name, value in self.headers.items()}, body)
        if failure and "status" in failure:
            self.server.state.end(request, "failed")
            return self.send_json(failure["status"], failure.get("body", {"error": {"message": "told to fail", "type": "server_error"}}),
                                  failure.get("headers", {}))
        if path.endswith("/embeddings"):
            self.send_json(200, embeddings(body, settings))
            return self.server.state.end(request, "answered")
        for matches, shape in SHAPES:
            if matches(path):
                return self.answer(request, shape(path, body, settings), failure)
        return self.send_json(404, {"error": {"message": f"no such path: {path}", "type": "invalid_request_error"}})

    def control(self, path, text):
        state = self.server.state
        if path == "/control/set":
            state.set(json.loads(text))
        elif path == "/control/release":
            state.released.set()
        elif path == "/control/reset":
            state.released.set()
            state.reset()
        self.send_json(200, {})

    def answer(self, request, shape, failure):
        """Sends the whole answer, or its events one by one."""
        if not shape.streams:
            self.send_json(200, shape.whole())
            return self.server.state.end(request, "answered")
        try:
            self.stream(shape, failure)
        except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError):
            self.close_connection = True
            return self.server.state.end(request, "aborted")
        return self.server.state.end(request, "answered" if not failure else "failed")

    def stream(self, shape, failure):
        hold_after, released = self.server.state.settings["hold_after"], self.server.state.released
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        words = 0
        for event in shape.events():
            self.chunk(event.text)
            words += event.word
            if failure and words >= failure["after"]:
                self.close_connection = True
                return self.connection.shutdown(socket.SHUT_RDWR)
            if event.word and hold_after is not None and words == hold_after:
                self.hold(released)
        return self.chunk("")

    def hold(self, released):
        """Waits until it is released, or the client has closed its connection."""
        while not released.wait(0.01):
            if select.select([self.connection], [], [], 0)[0] and not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError("the client left")

    def chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def send_json(self, status, value, headers=()):
        text = json.dumps(value).encode()
        self.send_response(status)
        for name, value in (dict(headers) | {"Content-Type": "application/json", "Content-Length": str(len(text))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stay", action="store_true")
    options = parser.parse_args()
    server = Server(("127.0.0.1", options.port), Llm)
    server.state = State()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    if options.stay:
        threading.Event().wait()
    sys.stdin.read()


if __name__ == "__main__":
    main()
