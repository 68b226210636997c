"""Slash commands of discord.py, which Discord wants answered within 3 s."""
from __future__ import annotations

import asyncio
import contextlib

import accounts
import discord
import pytest_asyncio
import yarl
from bots.rigs import numbers
from bots.test_bots import account_with
from conftest import addresses, until
from discord import app_commands
from discord.ext import commands

import bursar.bots.discord
from bursar import Bursar, Job

EPHEMERAL, LOADING = 64, "loading"


class Commands:
    """A bot with slash commands, whose annotations are texts: the types are looked up late."""

    def __init__(self, messenger, limited, desk):
        self.messenger, self.desk, self.failures, self.calls_before = messenger, desk, [], 0
        intents = discord.Intents.default()
        intents.message_content = True
        self.client = commands.Bot("!", intents=intents, guild_ready_timeout=0)

        @self.client.tree.command()
        @limited
        async def ask(interaction: discord.Interaction, job: Job, question: str, times: app_commands.Range[int, 1, 3] = 1):
            async def answer(text):
                await interaction.edit_original_response(content=text * times)
            await desk.work(question, job, answer)

        @self.client.command()
        @limited
        async def say(context: commands.Context, job: Job, *, text: str):
            await desk.work(text, job, context.send)

        @self.client.tree.error
        async def error(_, error):
            self.failures.append(error)

        self.command = ask

    @contextlib.asynccontextmanager
    async def running(self):
        discord.http.Route.BASE = f"{self.messenger.api}/v10"
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self.messenger.gateway)
        before = len(await self.messenger.get("calls"))
        token = f"commands-{next(numbers)}"
        task = asyncio.create_task(self.client.start(token))
        await until(self.client.is_ready)
        self.calls_before = before
        yield self
        await self.client.close()
        await task

    async def ask(self, user, question, **told):
        return await self.messenger.post("command", user=user, command="ask", options={"question": question}, **told)

    async def shown(self, command):
        """What the channel shows of an interaction."""
        return [message for message in await self.messenger.get("messages", channel=command["channel"]) if message["author"]["bot"]]

    async def shows(self, command, text):
        async def found():
            return next((message for message in await self.shown(command) if text in message["content"]), None)
        return await until(found, f"it shows {text}")

    async def callbacks(self, command):
        """The first answers to an interaction: type and status."""
        made = (await self.messenger.get("calls"))[self.calls_before:]
        return [(call["body"]["type"], call["status"]) for call in made if command["token"] in call["path"] and call["path"].endswith("/callback")]


@pytest_asyncio.fixture
async def start_commands(discord, desk, errors, bursar):
    """await start_commands(bursar, **options): a bot with slash commands, until the test ends."""
    assert bursar
    async with contextlib.AsyncExitStack() as running:
        async def start(client, **options):
            limited = _plugin(client, **({"on_error": errors} | options))
            running.push_async_callback(limited.close, 0)
            return await running.enter_async_context(Commands(discord, limited, desk).running())

        yield start


def _plugin(client, **options):
    return bursar.bots.discord.bursar_bot(client, **options)


def account(person):
    return f"discord:{person}"


async def test_the_job_is_no_option_of_the_command(start_commands, bursar):
    bot = await start_commands(bursar)
    told = bot.command.to_dict(bot.client.tree)
    assert [(option["name"], option["type"], option["required"]) for option in told["options"]] == [("question", 3, True), ("times", 4, False)]


async def test_a_command_is_answered_in_its_first_message(start_commands, bursar):
    bot = await start_commands(bursar)
    command = await bot.ask(next(numbers), "one")
    await bot.shows(command, "answer to one")
    assert await bot.callbacks(command) == [(5, 200)] and len(await bot.shown(command)) == 1


async def test_a_denial_is_seen_by_its_user_only_and_comes_each_time(start_commands, bursar, desk):
    bot = await start_commands(bursar, upgrade_url="https://example.org")
    ann = next(numbers)
    await account_with(bursar, account(ann), accounts.bucket(0))
    for _ in range(2):
        command = await bot.ask(ann, "one")
        message = await bot.shows(command, "not part of your plan")
        assert message["flags"] & EPHEMERAL and message["components"][0]["components"][0]["url"] == "https://example.org"
        assert await bot.callbacks(command) == [(4, 200)]
    assert not desk.begun


async def test_a_check_that_takes_long_is_answered_in_time_and_then_denied(start_commands, start_own, errors, desk):
    own = start_own()
    async with Bursar(addresses(own), attempt_ms=20_000, timeout_ms=30_000, on_error=errors) as client:
        bot = await start_commands(client)
        ann = next(numbers)
        await account_with(client, account(ann), accounts.bucket(0))
        own.process({"do": "freeze"})
        try:
            command = await bot.ask(ann, "one")
            await until(lambda: _loading(bot, command))
        finally:
            own.process({"do": "thaw"})
        await bot.shows(command, "not part of your plan")
        assert await bot.callbacks(command) == [(5, 200)] and len(await bot.shown(command)) == 1 and not desk.begun


async def _loading(bot, command):
    return any(message[LOADING] for message in await bot.shown(command))


async def test_the_position_is_shown_in_the_first_message_and_the_answer_takes_its_place(start_commands, bursar):
    pool = await accounts.pool(bursar, slots=1)
    bot = await start_commands(bursar, pool=pool.name, notice_ms=0)
    async with pool.slot(user="holder"):
        command = await bot.ask(next(numbers), "one")
        await bot.shows(command, "You are next.")
    await bot.shows(command, "answer to one")
    assert len(await bot.shown(command)) == 1


async def test_a_warning_follows_the_answer(start_commands, bursar):
    bot = await start_commands(bursar)
    ann = next(numbers)
    await account_with(bursar, account(ann), accounts.per_day(1))
    command = await bot.ask(ann, "one")
    await bot.shows(command, "100% of 1 request per day are used.")
    assert [message["content"] for message in await bot.shown(command)] == ["answer to one", "100% of 1 request per day are used."]


async def test_the_user_is_told_in_their_own_language(start_commands, bursar):
    bot = await start_commands(bursar)
    ann = next(numbers)
    await account_with(bursar, account(ann), accounts.bucket(0))
    command = await bot.ask(ann, "one", locale="de")
    await bot.shows(command, "nicht enthalten")


async def test_an_error_of_the_command_reaches_the_error_handler_of_the_tree(start_commands, bursar):
    bot = await start_commands(bursar)
    ann = next(numbers)
    await bot.ask(ann, "fail")
    await until(lambda: bot.failures)
    assert str(bot.failures[0].original) == "broken"
    await until(lambda: _free(bursar, account(ann)))


async def _free(client, name):
    return not await accounts.held(client, name)


async def test_a_text_command_is_limited_like_a_message(start_commands, bursar):
    bot = await start_commands(bursar)
    ann = next(numbers)
    await account_with(bursar, account(ann), accounts.bucket(1))
    for text in ("!say one", "!say two"):
        sent = await bot.messenger.post("message", user=ann, text=text)
        await bot.shows(sent, "answer to one")
    await bot.shows(sent, "Try again")


async def test_an_event_that_a_resumed_session_repeats_runs_once(start_commands, bursar, desk):
    bot = await start_commands(bursar)
    ann = next(numbers)
    sent = await bot.messenger.post("message", user=ann, text="!say one")
    await bot.shows(sent, "answer to one")
    await bot.messenger.post("gateway", do="drop")
    await bot.messenger.post("message", user=ann, text="!say one", id=sent["id"])
    await bot.messenger.post("message", user=ann, text="!say two")
    await bot.shows(sent, "answer to two")
    assert desk.begun == ["one", "two"]
