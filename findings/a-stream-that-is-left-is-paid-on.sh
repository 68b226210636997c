#!/bin/bash
# An application leaves the loop over a stream and drops the stream: when does the provider hear of it?
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: openai 3.57.0, anthropic 2.14.0 (PyPI), with a local server that streams until its reader is gone"
echo "Guess:    with its last reference a stream is closed, as files are, and the provider stops making tokens."

cd "$dir"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target packages openai==3.57.0 anthropic==2.14.0 >&2
cat >probe.py <<'EOF'
import gc
import http.server
import json
import threading
import time

import anthropic
import openai

gone = threading.Event()
delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word " * 40}}
usage = {"input_tokens": 1, "output_tokens": 1}
message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None, "stop_sequence": None, "usage": usage}
choice = {"index": 0, "delta": {"content": "word " * 40}, "finish_reason": None}
chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            if self.path.endswith("/messages"):
                self.put({"type": "message_start", "message": message})
                self.put({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
            while True:
                self.put(delta if self.path.endswith("/messages") else chunk)
                time.sleep(0.002)
        except OSError:
            gone.set()

    def put(self, event):
        name = f"event: {event['type']}\n" if "type" in event else ""
        text = f"{name}data: {json.dumps(event)}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    def log_message(self, *_):
        pass


def leave(stream):
    for number, _ in enumerate(stream):
        if number == 3:
            return


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
asked = [{"role": "user", "content": "Hi"}]
chats = openai.OpenAI(api_key="k", base_url=f"{base}/v1").chat.completions
messages = anthropic.Anthropic(api_key="k", base_url=base).messages
gc.disable()  # it runs some time later, or not at all in a program that allocates little
for name, ask in (("openai", lambda: chats.create(model="m", messages=asked, stream=True)),
                  ("anthropic", lambda: messages.create(model="m", max_tokens=9, messages=asked, stream=True))):
    gone.clear()
    leave(ask())
    heard = gone.wait(2)
    gc.collect()
    print(f"{name}: {'the provider hears at once' if heard else 'nothing for two seconds'}",
          "" if heard else f", {'the end' if gone.wait(20) else 'nothing'} after a run of the garbage collector", sep="")
EOF
seen=$(PYTHONPATH=packages python3 -W ignore probe.py)
echo "Seen:"
echo "$seen"
echo "Matters:  a user who stops reading after three words pays for the whole answer, which nobody reads and whose usage nobody records."
echo "          Use 'with' around each stream, and record in its 'finally'."
[ "$seen" = "openai: nothing for two seconds, the end after a run of the garbage collector
anthropic: the provider hears at once" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
