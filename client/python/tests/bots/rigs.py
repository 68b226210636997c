"""The same bot in each framework, and people who write to it."""
from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import sys

import aiogram
import discord
import discord.gateway
import telegram.ext
import yarl
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

import bursar.bots.aiogram
import bursar.bots.discord
import bursar.bots.telegram
from bursar import Job

numbers = itertools.count(1001)  # of bots, people and groups: no test has another's


class Desk:
    """The bot's own work: "hold ..." waits until the test lets it go, "fail ..." raises, "tokens N" uses so many."""

    def __init__(self):
        self.begun, self.ended, self.gates = [], [], {}

    def let_go(self, text):
        self.gates.setdefault(text, asyncio.Event()).set()

    async def work(self, text, job, answer):
        self.begun.append(text)
        try:
            if text.startswith("hold"):
                await self.gates.setdefault(text, asyncio.Event()).wait()
            if text.startswith("fail"):
                raise ValueError("broken")
            tokens = int(text.split()[1]) if text.startswith("tokens") else 1
            job.usage(usage={"input_tokens": tokens, "output_tokens": 0})
            await answer(f"answer to {text}")
        finally:
            self.ended.append(text)


class Call:
    """One that the bot made about the message in a chat: send, edit or delete."""

    def __init__(self, kind, text, began, ended, message):
        self.kind, self.text, self.began, self.ended, self.message = kind, text, began, ended, message

    def __repr__(self):
        return f"{self.kind} {self.message}: {self.text}"


class TelegramRig:
    """What aiogram and python-telegram-bot have in common: the messenger."""

    def __init__(self, messenger, desk):
        self.messenger, self.desk, self.bot_id, self.failures = messenger, desk, next(numbers), []
        self.token = f"{self.bot_id}:secret"

    @staticmethod
    def account(person):
        return f"telegram:{person}"

    @staticmethod
    def group_account(group):
        return f"telegram-chat:{group}"

    @staticmethod
    def group():
        return -next(numbers)

    async def write(self, person, text, group=None, language="en"):
        """Returns what is needed to send the same again."""
        user = {"id": person, "is_bot": False, "first_name": "Ann", "language_code": language}
        where = {} if group is None else {"chat": group}
        sent = await self.messenger.post("message", bot=self.bot_id, user=user, text=text, **where)
        chat = {"id": person, "type": "private", "first_name": "Ann"} if group is None else {"id": group, "type": "supergroup", "title": "G"}
        message = {"message_id": sent["message_id"], "date": 1, "chat": chat, "from": user, "text": text}
        return {"update_id": sent["update_id"], "message": message}

    async def again(self, update):
        await self.messenger.post("update", bot=self.bot_id, update=update)

    async def press(self, person, data):
        """A button below a message."""
        await self.messenger.post("callback", bot=self.bot_id, user=person, message_id=1, data=data)

    async def pressed(self):
        """What was answered to those who pressed a button."""
        made = (await self.messenger.post("calls", method="answerCallbackQuery"))["calls"]
        return [call["params"].get("text", "") for call in made if call["bot"] == self.bot_id]

    async def messages(self, chat):
        return (await self.messenger.post("chat", bot=self.bot_id, chat=chat))["messages"]

    async def said(self, chat):
        return [message["text"] for message in await self.messages(chat)]

    async def buttons(self, chat):
        """Urls below the messages."""
        return [key["url"] for message in await self.messages(chat) for row in message.get("reply_markup", {}).get("inline_keyboard", [])
                for key in row]

    async def calls(self, chat):
        kinds = {"sendMessage": "send", "editMessageText": "edit", "deleteMessage": "delete"}
        made = (await self.messenger.post("calls", chat=chat))["calls"]
        return [Call(kinds[call["method"]], call["params"].get("text", ""), call["came"], call["ended"],
                     call["params"].get("message_id") or ((call["answer"] or {}).get("result") or {}).get("message_id"))
                for call in made if call["bot"] == self.bot_id and call["method"] in kinds]

    async def hold_edits(self, chat):
        await self.messenger.post("hold", method="editMessageText", chat=chat)

    async def release_edits(self):
        await self.messenger.post("release", method="editMessageText")

    async def refuse(self, kind, chat, retry_after=None, times=1):
        """The next calls of a kind fail: with 429, or for good."""
        method = {"send": "sendMessage", "edit": "editMessageText"}[kind]
        what = {"code": 403, "description": "Forbidden: bot was blocked by the user"} if retry_after is None else {"retry_after": retry_after}
        await self.messenger.post("fail", method=method, chat=chat, times=times, **what)


class Aiogram(TelegramRig):
    """Polls; handlers run in tasks."""

    module = bursar.bots.aiogram

    @contextlib.asynccontextmanager
    async def running(self, limited, **polling):
        bot = aiogram.Bot(self.token, session=AiohttpSession(api=TelegramAPIServer.from_base(self.messenger.url)))
        dispatcher = self.dispatcher(limited)
        task = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False, **polling))
        yield
        await limited.close(grace_s=0)
        await dispatcher.stop_polling()
        await task

    def dispatcher(self, limited):
        dispatcher = aiogram.Dispatcher()

        @dispatcher.message(aiogram.filters.Command("ping"))
        async def ping(message):
            await message.answer("pong")

        @dispatcher.message(aiogram.F.text)
        @limited
        async def answer(message, job: Job, event_update: aiogram.types.Update):
            assert event_update.message == message
            await self.desk.work(message.text, job, message.answer)

        @dispatcher.callback_query()
        @limited
        async def pressed(query: aiogram.types.CallbackQuery, job: Job):
            await self.desk.work(query.data, job, query.answer)

        @dispatcher.error()
        async def error(event: aiogram.types.ErrorEvent):
            self.failures.append(event.exception)

        return dispatcher


class PythonTelegramBot(TelegramRig):
    """Polls; by default one update after another."""

    module = bursar.bots.telegram

    @contextlib.asynccontextmanager
    async def running(self, limited):
        ext = telegram.ext

        @limited
        async def answer(update: telegram.Update, context: ext.ContextTypes.DEFAULT_TYPE, job: Job):
            context.user_data["last"] = update.message.text
            await self.desk.work(update.message.text, job, update.message.reply_text)

        @limited
        async def pressed(update: telegram.Update, _, job: Job):
            await self.desk.work(update.callback_query.data, job, update.callback_query.answer)

        async def ping(update, _):
            await update.message.reply_text("pong")

        async def error(_, context):
            self.failures.append(context.error)

        application = ext.Application.builder().token(self.token).base_url(f"{self.messenger.url}/bot").build()
        application.add_handler(ext.CommandHandler("ping", ping))
        application.add_handler(ext.MessageHandler(ext.filters.TEXT, answer))
        application.add_handler(ext.CallbackQueryHandler(pressed))
        application.add_error_handler(error)
        async with application:
            await application.updater.start_polling()
            await application.start()
            yield
            await application.updater.stop()
            await application.stop()
            await limited.close(application, grace_s=0)


class Discord:
    """Messages; its commands have tests of their own."""

    module = bursar.bots.discord

    def __init__(self, messenger, desk):
        self.messenger, self.desk, self.failures = messenger, desk, []
        self.token = f"token-{next(numbers)}"
        self.channels = {}
        self.person_of = {}

    @staticmethod
    def account(person):
        return f"discord:{person}"

    @staticmethod
    def group_account(group):
        return f"discord-chat:{group + 1}"

    @staticmethod
    def group():
        return next(numbers) << 22

    @contextlib.asynccontextmanager
    async def running(self, limited):
        discord.http.Route.BASE = f"{self.messenger.api}/v10"
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self.messenger.gateway)
        intents = discord.Intents.default()
        intents.message_content = True
        client = discord.Client(intents=intents, guild_ready_timeout=0)
        limited_answer = limited(self.answer)

        @client.event
        async def on_message(message):
            if message.author.bot or not self.mine(message):
                return
            if message.content == "/ping":
                await message.channel.send("pong")
            else:
                await limited_answer(message)

        @client.event
        async def on_error(*_):
            self.failures.append(sys.exc_info()[1])

        task = asyncio.create_task(client.start(self.token))
        await self.ready(client)
        yield
        await limited.close(grace_s=0)
        await client.close()
        await task

    @staticmethod
    async def ready(client):
        while not client.is_ready():
            await asyncio.sleep(0.01)

    def mine(self, message):
        """All bots of the imitation see everything."""
        return message.channel.id in self.channels.values() or message.author.id in self.person_of

    async def answer(self, message: discord.Message, job: Job):
        await self.desk.work(message.content, job, message.channel.send)

    async def write(self, person, text, group=None, language="en"):
        self.person_of[person] = True
        told = {"user": person, "text": text} | ({} if group is None else {"guild": group})
        sent = await self.messenger.post("message", **told)
        self.channels[person if group is None else group] = int(sent["channel"])
        return told | {"id": sent["id"]}

    async def again(self, told):
        await self.messenger.post("message", **told)

    async def messages(self, chat):
        if chat not in self.channels:
            return []
        shown = await self.messenger.get("messages", channel=self.channels[chat])
        return [message for message in shown if message["author"]["bot"]]

    async def said(self, chat):
        return [message["content"] for message in await self.messages(chat)]

    async def buttons(self, chat):
        return [key["url"] for message in await self.messages(chat) for row in message["components"] for key in row["components"]]

    async def calls(self, chat):
        kinds, base = {"POST": "send", "PATCH": "edit", "DELETE": "delete"}, f"/channels/{self.channels[chat]}/messages"
        made = await self.messenger.get("calls")
        return [Call(kinds[call["method"]], call["body"].get("content", ""), call["at_ms"] / 1000,
                     call["end_ms"] and call["end_ms"] / 1000, call["path"].removeprefix(base).strip("/"))
                for call in made if call["path"].startswith(base)]

    async def hold_edits(self, chat):
        await self.messenger.post("rule", method="PATCH", path=f"/channels/{self.channels[chat]}/", delay_ms=6_000, times=1)

    async def release_edits(self):
        """They go on by themselves."""

    async def refuse(self, kind, chat, retry_after=None, times=1):
        what = {"status": 403} if retry_after is None else {"status": 429, "retry_after": retry_after}
        method = {"send": "POST", "edit": "PATCH"}[kind]
        await self.messenger.post("rule", method=method, path=f"/channels/{self.channels[chat]}/", times=times, **what)


RIGS = {"aiogram": Aiogram, "python-telegram-bot": PythonTelegramBot, "discord.py": Discord}
logging.getLogger("discord").setLevel(logging.ERROR)
