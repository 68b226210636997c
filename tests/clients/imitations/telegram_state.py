"""What the imitation of Telegram remembers: bots, chats, updates that wait, calls that came, and failures that a test has ordered."""
import http.client
import json
import threading
import time
import urllib.parse


class Failure(Exception):
    """An answer that is not ok; code 0: no answer at all."""

    def __init__(self, code, description, retry_after=None):
        super().__init__(description)
        self.code, self.description, self.retry_after = code, description, retry_after

    def body(self):
        more = {} if self.retry_after is None else {"parameters": {"retry_after": self.retry_after}}
        return {"ok": False, "error_code": self.code, "description": self.description} | more


class Bot:
    def __init__(self, number):
        self.id = number
        self.updates = []      # not confirmed yet
        self.polls = 0         # number of the newest long poll: an older one ends
        self.allowed = []      # kinds of updates; empty = the usual ones
        self.webhook = {"url": ""}
        self.urls = []         # of a test, in place of the webhook's one url
        self.timeout_s, self.pause_s = 60, 1
        self.turn = 0
        self.deliveries = []
        self.under_way = set()  # identities of updates: a test may send copies of one
        self.next_update_id = number % 1000 * 1_000_000 + 1


class Telegram:
    def __init__(self, run):
        self.run = run  # run(telegram, call): what does the call
        self.changed = threading.Condition()
        self.bots, self.chats, self.known_chats = {}, {}, {}
        self.calls, self.planned, self.held = [], [], []
        self.numbers = 0

    # --- bots, chats, messages ---

    def bot(self, number):
        return self.bots.setdefault(int(number), Bot(int(number)))

    def chat_of(self, bot_id, chat_id):
        """The bot's messages by message_id."""
        return self.chats.setdefault((int(bot_id), chat_id), {})

    def next_number(self):
        with self.changed:
            self.numbers += 1
            return self.numbers

    def next_message_id(self, chat):
        with self.changed:
            self.known_chats[chat["id"]] = chat
            return self.next_number()

    # --- calls ---

    def came(self, bot_id, method, asked):
        with self.changed:
            call = {"n": len(self.calls), "bot": bot_id, "method": method, "params": asked, "came": time.monotonic(), "ended": None, "answer": None}
            self.calls.append(call)
            self.changed.notify_all()
            return call

    def ended(self, call, body):
        with self.changed:
            call["ended"], call["answer"] = time.monotonic(), body
            self.changed.notify_all()

    @staticmethod
    def concerns(rule, call):
        return rule["method"] in (call["method"], "*") and rule.get("chat") in (None, call["params"].get("chat_id"))

    def fail_or_wait(self, call):
        """Does what a test has ordered for this call."""
        with self.changed:
            self.changed.wait_for(lambda: not any(self.concerns(rule, call) for rule in self.held))
            for rule in self.planned:
                if self.concerns(rule, call):
                    rule["times"] -= 1
                    self.planned = [one for one in self.planned if one["times"] > 0]
                    raise Failure(0 if rule.get("drop") else rule["code"], rule["description"], rule.get("retry_after"))

    def plan(self, rule):
        retry = rule.get("retry_after")
        code = rule.get("code", 429)
        said = f"Too Many Requests: retry after {retry}" if code == 429 else "Internal Server Error"
        if code == 429 and retry is None:
            rule["retry_after"], said = 1, "Too Many Requests: retry after 1"
        with self.changed:
            self.planned.append({"times": 1, "code": code, "description": said} | rule)
            return {}

    def hold(self, rule):
        with self.changed:
            self.held.append({"method": rule["method"], "chat": rule.get("chat")})
            return {}

    def release(self, method):
        with self.changed:
            self.held = [rule for rule in self.held if method not in (None, rule["method"])]
            self.changed.notify_all()
            return {}

    def calls_of(self, method, chat, since, wait, timeout_s):
        def found():
            return [call for call in self.calls[since:] if method in (None, call["method"]) and chat in (None, call["params"].get("chat_id"))]

        with self.changed:
            self.changed.wait_for(lambda: len(found()) >= wait, timeout_s)
            return {"calls": [dict(call) for call in found()], "next": len(self.calls)}

    # --- updates ---

    def push(self, bot_id, update):
        bot = self.bot(bot_id)
        with self.changed:
            if "update_id" not in update:
                update = {"update_id": bot.next_update_id} | update
            bot.next_update_id = max(bot.next_update_id, update["update_id"] + 1)
            for part in update.values():
                if isinstance(part, dict) and (chat := part.get("chat") or part.get("message", {}).get("chat")):
                    self.known_chats[chat["id"]] = chat
            if not bot.allowed or set(bot.allowed) & set(update):
                bot.updates.append(update)
            self.changed.notify_all()
        self.deliver(bot)
        return {"update_id": update["update_id"], "message_id": update.get("message", {}).get("message_id")}

    def poll(self, bot, offset, limit, timeout_s, allowed):
        with self.changed:
            if bot.webhook["url"]:
                raise Failure(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
            if allowed is not None:
                bot.allowed = allowed
            bot.polls += 1
            mine = bot.polls
            self.changed.notify_all()
            if offset < 0:
                bot.updates = bot.updates[offset:]
            bot.updates = [update for update in bot.updates if update["update_id"] >= offset]
            self.changed.wait_for(lambda: bot.updates or bot.polls != mine, timeout_s)
            if bot.polls != mine:
                raise Failure(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
            return bot.updates[:limit]

    # --- webhooks ---

    def set_delivery(self, bot_id, urls=None, timeout_s=None, pause_s=None):
        bot = self.bot(bot_id)
        with self.changed:
            bot.urls = bot.urls if urls is None else urls
            bot.timeout_s = timeout_s or bot.timeout_s
            bot.pause_s = bot.pause_s if pause_s is None else pause_s
        self.deliver(bot)
        return {}

    def deliver(self, bot):
        """Starts the delivery of every update that waits; as many at a time as the webhook allows."""
        with self.changed:
            if not bot.webhook["url"] and not bot.urls:
                return
            room = bot.webhook.get("max_connections", 40) - len(bot.under_way)
            for update in [one for one in bot.updates if id(one) not in bot.under_way][:max(room, 0)]:
                bot.under_way.add(id(update))
                threading.Thread(target=self.deliver_one, args=(bot, update), daemon=True).start()

    def deliver_one(self, bot, update):
        attempt = 0
        while True:
            with self.changed:
                urls = bot.urls or ([bot.webhook["url"]] if bot.webhook["url"] else [])
                if not urls:  # the webhook was deleted: the update waits for getUpdates
                    bot.under_way.discard(id(update))
                    return
                attempt += 1
                url = urls[bot.turn % len(urls)]
                bot.turn += 1
                delivery = {"update_id": update["update_id"], "url": url, "attempt": attempt, "status": None, "came": time.monotonic(), "ended": None}
                bot.deliveries.append(delivery)
            status, reply = self.post(bot, url, update)
            with self.changed:
                delivery["status"], delivery["ended"] = status, time.monotonic()
                if 200 <= status < 300:
                    bot.under_way.discard(id(update))
                    bot.updates = [one for one in bot.updates if one is not update]
                self.changed.notify_all()
            if 200 <= status < 300:
                self.reply(bot, reply)
                return self.deliver(bot)
            time.sleep(bot.pause_s * attempt)

    @staticmethod
    def post(bot, url, update):
        parts = urllib.parse.urlsplit(url)
        secret = bot.webhook.get("secret_token")
        headers = {"Content-Type": "application/json"} | ({"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {})
        link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=bot.timeout_s)
        try:
            link.request("POST", parts.path or "/", json.dumps(update), headers)
            answer = link.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            link.close()

    def reply(self, bot, text):
        """The answer to a delivery may be a call; its result is not told to the bot."""
        try:
            asked = json.loads(text)
            method = asked.pop("method")
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        call = self.came(bot.id, method, asked)
        try:
            self.ended(call, {"ok": True, "result": self.run(self, call)})
        except Failure as failure:
            self.ended(call, failure.body())
