"""An imitation of Discord: REST (version 10) and gateway on one port of 127.0.0.1, and a control API for the test beside them.

Run with a Python that has aiohttp; prints {"port": N, "api": URL, "gateway": URL} as its first line and ends when its stdin is closed.
- discord.js: new Client({rest: {api: API}}), where API is without the version: it asks API/v10/gateway/bot for the gateway.
- discord.py: discord.http.Route.BASE = API + "/v10" and DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(GATEWAY): it never asks for the gateway.
Any token is a bot of its own: its id comes from the token. The control API, JSON in and out:
  POST /control/message    {user, text, channel?, guild?, id?, name?, locale?}   a person writes; without a guild it is a direct message. -> {id, channel}
  POST /control/command    {user, command, options?, channel?, guild?, id?, locale?}   a slash command -> {id, channel, token}
  POST /control/event      {t, d}            any gateway event to all sessions
  POST /control/gateway    {do: "reconnect" | "drop" | "invalidate"}   asks to reconnect; cuts the connections; ends the sessions. -> {sessions}
  POST /control/rule       {method?, path?, status?, retry_after?, delay_ms?, times?, global?}   what happens to the next calls that match (path: a regular
                           expression; times: default 1). A status other than 429 answers an error of that status; delay_ms alone answers late, but well.
  POST /control/commands   {bot?, names: [..]}   names of slash commands that exist, as if registered before
  GET  /control/calls?since=N   every REST call: {n, at_ms, end_ms, bot, method, path, query, body, status}; since: from that n on
  GET  /control/messages?channel=C   what the people of a channel see: {id, content, author, edits, components, loading, reply_to}; deleted ones are gone
  GET  /control/sessions   {open, identified, resumed, heartbeats, commands}
Real, because plugins depend on it: an interaction is unknown (404, code 10062) unless it is answered within 3 s; a second answer is 400 (40060); a 429
has Via and exactly `application/json`, without which discord.py does not repeat; a session that resumes gets what it missed; shards get their guilds;
the first follow-up of a deferred answer becomes that answer."""
import asyncio
import json
import pathlib
import re
import sys
import time

from aiohttp import web

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from discord_http import answer, body_of, bot_id, refusal  # noqa: E402
from discord_shapes import (  # noqa: E402
    Ids, application, callback_answer, change, command_shape, dm_channel, guild_shape, interaction_shape, message_shape, person, user_shape)

MOST_TO_ANSWER_S = 3
HEARTBEAT_MS = 41_250


def now_ms():
    return int(time.monotonic() * 1000)


class Session:
    """One identified session; its connection may come and go."""

    def __init__(self, number, bot, shard):
        self.id, self.bot, self.shard, self.events, self.socket = f"session-{number}", bot, shard, [], None

    def sees(self, guild):
        return not self.shard or (int(guild or 0) >> 22) % self.shard[1] == self.shard[0]

    async def send(self, name, data):
        self.events.append({"op": 0, "s": len(self.events) + 1, "t": name, "d": data})
        await self.write(self.events[-1])

    async def write(self, frame):
        if self.socket is not None and not self.socket.closed:
            await self.socket.send_json(frame)


class Discord:
    def __init__(self):
        self.ids = Ids()
        self.calls, self.rules, self.sessions, self.sockets = [], [], [], set()
        self.messages = {}       # channel -> {id: message}, in order
        self.channels = {}       # of direct messages: id -> the other person
        self.guilds = {}         # id -> channels
        self.interactions = {}   # by token
        self.commands = {}       # bot -> its slash commands
        self.identified = self.resumed = self.heartbeats = 0
        self.port = 0

    # The gateway

    async def gateway(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.add(socket)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": HEARTBEAT_MS}, "s": None, "t": None})
        session = None
        try:
            async for frame in socket:
                told = json.loads(frame.data)
                if told["op"] == 1:
                    self.heartbeats += 1
                    await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
                elif told["op"] == 2:
                    session = await self.identify(socket, told["d"])
                elif told["op"] == 6:
                    session = await self.resume(socket, told["d"])
        finally:
            self.sockets.discard(socket)
            if session is not None and session.socket is socket:
                session.socket = None
        return socket

    async def identify(self, socket, told):
        self.identified += 1
        session = Session(self.identified, bot_id(told["token"]), told.get("shard"))
        session.socket = socket
        self.sessions.append(session)
        guilds = [guild for guild in self.guilds if session.sees(guild)]
        await session.send("READY", {
            "v": 10, "user": user_shape(session.bot, "bot", bot=True), "guilds": [{"id": guild, "unavailable": True} for guild in guilds],
            "session_id": session.id, "resume_gateway_url": f"ws://127.0.0.1:{self.port}/gateway", "shard": session.shard or [0, 1],
            "application": {"id": session.bot, "flags": 0}, "private_channels": [], "relationships": []})
        for guild in guilds:
            await session.send("GUILD_CREATE", guild_shape(guild, self.guilds[guild], session.bot))
        return session

    async def resume(self, socket, told):
        session = next((one for one in self.sessions if one.id == told["session_id"]), None)
        if session is None:
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            return None
        self.resumed += 1
        session.socket = socket
        for event in session.events[told["seq"] or 0:]:
            await session.write(event)
        await session.send("RESUMED", {"_trace": []})
        return session

    async def event(self, name, data, guild=None):
        for session in self.sessions:
            if session.sees(guild):
                await session.send(name, data)

    # REST

    async def rest(self, request):
        """Every REST call: noted, met by a rule of the test if there is one, then answered."""
        bot = bot_id(request.headers.get("Authorization", "").removeprefix("Bot ")) if "Authorization" in request.headers else ""
        call = {"n": len(self.calls), "at_ms": now_ms(), "end_ms": None, "bot": bot, "method": request.method, "path": "/" + request.match_info["path"],
                "query": dict(request.query), "body": await body_of(request), "status": None}
        self.calls.append(call)
        limits = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "49", "X-RateLimit-Reset": str(time.time() + 1), "X-RateLimit-Reset-After": "1.0",
                  "X-RateLimit-Bucket": f"{call['method']}-{re.sub('[0-9]+|token-[0-9]+', 'n', call['path'])}"}
        reply = await self.ruled(call, limits) or self.route(call)
        reply.headers.update({name: value for name, value in limits.items() if name not in reply.headers})
        call["status"], call["end_ms"] = reply.status, now_ms()
        return reply

    async def ruled(self, call, limits):
        for rule in self.rules:
            if rule["times"] > 0 and rule.get("method", call["method"]) == call["method"] and re.search(rule.get("path", ""), call["path"]):
                rule["times"] -= 1
                await asyncio.sleep(rule.get("delay_ms", 0) / 1000)
                if rule.get("status") == 429:
                    wait = rule.get("retry_after", 1)
                    scope = {"X-RateLimit-Global": "true"} if rule.get("global") else {"X-RateLimit-Scope": "user"}
                    return answer(429, {"message": "You are being rate limited.", "retry_after": wait, "global": bool(rule.get("global"))},
                                  limits | scope | {"Retry-After": str(wait), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": str(wait)})
                return refusal(rule["status"], 0, "as the test asked") if "status" in rule else None
        return None

    def route(self, call):
        for method, pattern, handler in ROUTES:
            found = re.fullmatch(pattern, call["path"])
            if found and method == call["method"]:
                return handler(self, call, *found.groups())
        return refusal(404, 0, f"404: {call['method']} {call['path']} is not imitated")

    def me(self, call):
        return answer(200, user_shape(call["bot"], "bot", bot=True))

    def of_application(self, call, *_):
        return answer(200, application(call["bot"]))

    def gateway_address(self, call):
        return answer(200, {"url": f"ws://127.0.0.1:{self.port}/gateway", "shards": 1,
                            "session_start_limit": {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 16}})

    def register(self, call, owner):
        names = call["body"] if call["method"] == "PUT" else [call["body"]]
        kept = [command_shape(self.ids.new(), owner, told) for told in names]
        self.commands[owner] = kept if call["method"] == "PUT" else self.commands.get(owner, []) + kept
        return answer(200, kept if call["method"] == "PUT" else kept[0])

    def registered(self, call, owner):
        return answer(200, self.commands.get(owner, []))

    def open_dm(self, call):
        return answer(200, dm_channel(self.dm_of(call["body"]["recipient_id"]), call["body"]["recipient_id"]))

    def channel(self, call, channel):
        guild = next((guild for guild, channels in self.guilds.items() if channel in channels), None)
        if guild is None and channel not in self.channels:
            return refusal(404, 10003, "Unknown Channel")
        return answer(200, dm_channel(channel, self.channels[channel]) if guild is None else guild_shape(guild, [channel], call["bot"])["channels"][0])

    def typing(self, call, channel):
        return answer(204)

    def post(self, call, channel):
        return answer(200, self.put_message(channel, call["bot"], call["body"]))

    def put_message(self, channel, author, told, **more):
        guild = next((guild for guild, channels in self.guilds.items() if channel in channels), None)
        message = message_shape(self.ids.new(), channel, user_shape(author, "bot", bot=True), told, guild=guild) | {"edits": 0, "loading": False} | more
        self.messages.setdefault(channel, {})[message["id"]] = message
        return message

    def edit(self, call, channel, message):
        known = self.messages.get(channel, {}).get(message)
        return answer(200, change(known, call["body"])) if known else refusal(404, 10008, "Unknown Message")

    def fetch(self, call, channel, message):
        known = self.messages.get(channel, {}).get(message)
        return answer(200, known) if known else refusal(404, 10008, "Unknown Message")

    def delete(self, call, channel, message):
        return answer(204) if self.messages.get(channel, {}).pop(message, None) else refusal(404, 10008, "Unknown Message")

    def callback(self, call, interaction, token):
        """The one answer to an interaction. Types: 4 a message, 5 a message that will come (a deferral), 6 and 7 of components."""
        known = self.interactions.get(token)
        if known is None or (not known["answered"] and time.monotonic() - known["at"] > MOST_TO_ANSWER_S):
            return refusal(404, 10062, "Unknown interaction")
        if known["answered"]:
            return refusal(400, 40060, "Interaction has already been acknowledged.")
        known["answered"] = True
        told = call["body"].get("data") or {}
        message = self.put_message(known["channel"], known["bot"], told, loading=call["body"]["type"] == 5, flags=told.get("flags", 0))
        known["original"] = message["id"]
        shown = callback_answer(interaction, call["body"]["type"], message)
        return answer(200, shown) if call["query"].get("with_response") in ("1", "true") else answer(204)

    def followup(self, call, bot, token):
        known = self.interactions.get(token)
        if known is None or not known["answered"]:
            return refusal(404, 10015, "Unknown Webhook")
        original = self.messages[known["channel"]].get(known["original"])
        if original and original["loading"]:  # it becomes the answer that was promised
            return answer(200, change(original, call["body"]))
        return answer(200, self.put_message(known["channel"], bot, call["body"]))

    def of_webhook(self, call, bot, token, message):
        """GET, PATCH and DELETE of the interaction's first answer (@original) or of a follow-up."""
        known = self.interactions.get(token)
        if known is None or not known["answered"]:
            return refusal(404, 10015, "Unknown Webhook")
        message = known["original"] if message == "@original" else message
        return {"GET": self.fetch, "PATCH": self.edit, "DELETE": self.delete}[call["method"]](call, known["channel"], message)

    # What the test asks for

    def dm_of(self, user):
        known = next((channel for channel, other in self.channels.items() if other == user), None)
        if known is None:
            known = self.ids.new()
            self.channels[known] = user
        return known

    async def place(self, told):
        """The channel and the guild in which something happens; a guild that is new is told to the bots first."""
        guild, user = str(told["guild"]) if told.get("guild") else None, str(told["user"])
        channel = str(told.get("channel") or (int(guild) + 1 if guild else self.dm_of(user)))
        if guild is None:
            self.channels[channel] = user
        elif channel not in self.guilds.get(guild, []):
            self.guilds.setdefault(guild, []).append(channel)
            for session in self.sessions:
                if session.sees(guild):
                    await session.send("GUILD_CREATE", guild_shape(guild, self.guilds[guild], session.bot))
        return channel, guild

    async def control_message(self, told):
        channel, guild = await self.place(told)
        author = user_shape(str(told["user"]), told.get("name", f"user{told['user']}"))
        message = message_shape(str(told.get("id") or self.ids.new()), channel, author, {"content": told["text"]}, guild=guild)
        self.messages.setdefault(channel, {})[message["id"]] = message | {"edits": 0, "loading": False}
        more = {"member": person(author)["member"]} if guild else {"channel_type": 1}
        await self.event("MESSAGE_CREATE", message | more, guild)
        return {"id": message["id"], "channel": channel}

    async def control_command(self, told):
        """To every bot that has such a command, or to every bot if none has registered any."""
        channel, guild = await self.place(told)
        number = str(told.get("id") or self.ids.new())
        token = f"token-{number}"
        for session in self.sessions:
            if not session.sees(guild):
                continue
            known = next((one for one in self.commands.get(session.bot, []) if one["name"] == told["command"]), {"id": "1"})
            self.interactions.setdefault(token, {"at": time.monotonic(), "answered": False, "channel": channel, "bot": session.bot, "original": None})
            await session.send("INTERACTION_CREATE", interaction_shape(number, token, session.bot, channel, guild, known["id"], told))
        return {"id": number, "channel": channel, "token": token}

    async def control_event(self, told):
        await self.event(told["t"], told["d"], told["d"].get("guild_id"))
        return {}

    async def control_gateway(self, told):
        """The connections that are open now: asked to come again, cut off, or their sessions ended."""
        for socket in list(self.sockets):
            if told["do"] == "reconnect":
                await socket.send_json({"op": 7, "d": None, "s": None, "t": None})
            elif told["do"] == "invalidate":
                await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            else:
                await socket.close(code=4000)
        if told["do"] == "invalidate":
            self.sessions.clear()
        return {"sessions": len(self.sessions)}

    async def control_rule(self, told):
        self.rules.append({"times": 1} | told)
        return {}

    async def control_commands(self, told):
        for bot in [str(told["bot"])] if told.get("bot") else {session.bot for session in self.sessions}:
            self.commands[bot] = [command_shape(self.ids.new(), bot, {"name": name}) for name in told["names"]]
        return {}

    async def control(self, request):
        did = await getattr(self, "control_" + request.match_info["what"])(await request.json())
        return answer(200, did)

    async def look(self, request):
        what = request.match_info["what"]
        if what == "calls":
            return answer(200, self.calls[int(request.query.get("since", 0)):])
        if what == "messages":
            return answer(200, list(self.messages.get(request.query["channel"], {}).values()))
        return answer(200, {"open": len(self.sockets), "identified": self.identified, "resumed": self.resumed, "heartbeats": self.heartbeats,
                            "commands": {bot: [one["name"] for one in known] for bot, known in self.commands.items()}})


WEBHOOK = r"/webhooks/(\d+)/([^/]+)"
ROUTES = [
    ("GET", "/users/@me", Discord.me),
    ("GET", "/oauth2/applications/@me", Discord.of_application),
    ("GET", "/applications/@me", Discord.of_application),
    ("GET", "/gateway/bot", Discord.gateway_address),
    ("GET", "/gateway", Discord.gateway_address),
    ("POST", "/users/@me/channels", Discord.open_dm),
    *((method, rf"/applications/(\d+){of}/commands", handler) for of in ("", r"/guilds/\d+")
      for method, handler in (("PUT", Discord.register), ("POST", Discord.register), ("GET", Discord.registered))),
    ("GET", r"/channels/(\d+)", Discord.channel),
    ("POST", r"/channels/(\d+)/typing", Discord.typing),
    ("POST", r"/channels/(\d+)/messages", Discord.post),
    ("GET", r"/channels/(\d+)/messages/(\d+)", Discord.fetch),
    ("PATCH", r"/channels/(\d+)/messages/(\d+)", Discord.edit),
    ("DELETE", r"/channels/(\d+)/messages/(\d+)", Discord.delete),
    ("POST", r"/interactions/(\d+)/([^/]+)/callback", Discord.callback),
    ("POST", WEBHOOK, Discord.followup),
    *((method, WEBHOOK + r"/messages/([@\w]+)", Discord.of_webhook) for method in ("GET", "PATCH", "DELETE")),
]


async def serve():
    discord = Discord()
    site = web.Application()
    site.router.add_get("/gateway", discord.gateway)
    site.router.add_get("/gateway/", discord.gateway)
    site.router.add_post("/control/{what}", discord.control)
    site.router.add_get("/control/{what}", discord.look)
    site.router.add_route("*", r"/api/v{version:\d+}/{path:.*}", discord.rest)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    discord.port = listening._server.sockets[0].getsockname()[1]  # pylint: disable=protected-access
    base = f"127.0.0.1:{discord.port}"
    print(json.dumps({"port": discord.port, "api": f"http://{base}/api", "gateway": f"ws://{base}/gateway", "control": f"http://{base}/control"}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
