#!/bin/bash
# Telegram answers 429 to one chat. What does python-telegram-bot's rate limiter do to the others?
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: python-telegram-bot 22.8 with AIORateLimiter (PyPI), against an imitation of Telegram in the same process"
echo "Guess:    with a rate limiter set, a message that is answered 'retry after 3' is sent again after 3 s; other chats are not"
echo "          delayed."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" 'python-telegram-bot[rate-limiter]==22.8' >&2
cat >"$dir/probe.py" <<'EOF'
import asyncio, json, logging, time
from telegram.error import RetryAfter
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import BaseRequest

logging.disable()

class Telegram(BaseRequest):
    read_timeout, flooded = 5, False
    async def initialize(self): pass
    async def shutdown(self): pass
    async def do_request(self, url, method, request_data=None, **rest):
        asked = request_data.parameters if request_data else {}
        if asked.get("text") == "flood" and not self.flooded:
            self.flooded = True
            return 429, json.dumps({"ok": False, "error_code": 429, "description": "", "parameters": {"retry_after": 3}}).encode()
        chat = {"id": asked.get("chat_id", 0), "type": "private"}
        me = {"id": 1, "is_bot": True, "first_name": "b", "username": "b"}
        return 200, json.dumps({"ok": True, "result": me if "getMe" in url else {"message_id": 1, "date": 1, "chat": chat}}).encode()

async def run(**options):
    bot = ExtBot("1:a", request=Telegram(), get_updates_request=Telegram(), rate_limiter=AIORateLimiter(**options))
    await bot.initialize()
    async def send(name, chat, text):
        start = time.monotonic()
        try:
            await bot.send_message(chat, text)
            told = "sent"
        except RetryAfter:
            told = "raises RetryAfter, not sent again"
        print(f"{options or 'default'}, {name}: {told}, after {time.monotonic() - start:.0f} s")
    flooded = asyncio.create_task(send("flooded chat", 1, "flood"))
    await asyncio.sleep(0.05)
    await send("another chat", 2, "hello")
    await flooded

async def main():
    await run()
    await run(max_retries=1)

asyncio.run(main())
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py" 2>&1)
echo "Seen:"
echo "$seen"
echo "Matters:  one user who makes the bot edit a message too often (a queue position, a streamed answer) silences it for everybody, for"
echo "          as long as Telegram says. Limit the edits of each chat before they are sent; set max_retries if you want a second try."
[ "$(sort <<<"$seen")" = "default, another chat: sent, after 0 s
default, flooded chat: raises RetryAfter, not sent again, after 0 s
{'max_retries': 1}, another chat: sent, after 3 s
{'max_retries': 1}, flooded chat: sent, after 3 s" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
