"""The examples as people start them, at the imitations of the messengers; and bots that die."""
import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys

import accounts
import pytest
from bots.rigs import Aiogram, Desk, Discord, numbers
from bots.test_bots import account_with, says
from conftest import addresses, until
from serve import Served

from bursar import Bursar

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def start_example(tmp_path):
    """start_example(name, fleet, **variables): its process, until the test ends."""
    with contextlib.ExitStack() as started:
        def start(name, fleet, **variables):
            words = {"BURSAR_ADDR": ",".join(addresses(fleet)), "SPOOL": str(tmp_path / "spool")} | variables
            process = started.enter_context(subprocess.Popen([sys.executable, str(EXAMPLES / name)], env=os.environ | words))
            started.callback(process.kill)
            return process

        yield start


@pytest.fixture
def aiogram_bot(telegram, start_example):
    """aiogram_bot(fleet, **variables): the rig of a running example, and its process."""
    rig = Aiogram(telegram, Desk())

    def start(fleet, **variables):
        rig.process = start_example("telegram_aiogram.py", fleet, BOT_TOKEN=rig.token, TELEGRAM_API=telegram.url, **variables)
        return rig

    return start


async def test_the_example_with_aiogram_does_the_whole_flow(aiogram_bot, own, errors):
    async with Bursar(addresses(own), on_error=errors) as bursar:
        pool = await accounts.pool(bursar, slots=1)
        rig = aiogram_bot(own, POOL=pool.name, WORDS_A_SECOND="30", UPGRADE_URL="https://example.org/upgrade")
        await polls(rig)
        ann, bob = next(numbers), next(numbers)
        await account_with(bursar, rig.account(ann), accounts.per_day(1))
        async with pool.slot(user="holder"):
            await rig.write(ann, "Hello?")
            await says(rig, ann, "You are next.")
            await rig.write(bob, "And me?")
            await says(rig, bob, "You are number 2 in the queue.")
        await says(rig, ann, "You asked: Hello? This is all that I know about it.")
        await says(rig, ann, "100% of 1 request per day are used.")
        await rig.write(ann, "More?")
        await says(rig, ann, "Try again in")
        assert await rig.buttons(ann) == ["https://example.org/upgrade"] * 2
        await says(rig, bob, "You asked: And me?")
        await rig.write(bob, "/status")
        await says(rig, bob, "Your plan: free")
        rig.process.send_signal(signal.SIGTERM)
        assert rig.process.wait(60) == 0
        assert await costs(bursar, rig.account(ann)) > 0


async def polls(rig):
    """Waits until the process asks for updates: to import a framework takes a while."""
    async def polled():
        made = (await rig.messenger.post("calls", method="getUpdates"))["calls"]
        return any(call["bot"] == rig.bot_id for call in made)
    await until(polled, "the bot polls", seconds=120)


async def costs(bursar, account):
    """What the account's requests cost today, nano-USD."""
    async def known():
        return (await bursar.status(user=account, costs=True)).raw.costs.today_cost_nano_usd
    return await until(known)


async def _in_pool(bursar, pool, expected):
    return await accounts.in_pool(bursar, pool) == expected


async def test_the_example_with_discord_does_the_whole_flow(discord, start_example, own, errors):
    async with Bursar(addresses(own), on_error=errors) as bursar:
        pool = await accounts.pool(bursar, slots=1)
        rig = Discord(discord, Desk())
        process = start_example("discord_bot.py", own, DISCORD_TOKEN=rig.token, DISCORD_API=f"{discord.api}/v10", DISCORD_GATEWAY=discord.gateway,
                                POOL=pool.name, WORDS_A_SECOND="30")
        ann, bob = next(numbers), next(numbers)
        await account_with(bursar, rig.account(ann), accounts.per_day(1))
        await until(lambda: _has_command(discord), seconds=120)
        async with pool.slot(user="holder"):
            first = await discord.post("command", user=ann, command="ask", options={"question": "Hello?"})
            await until(lambda: _shows(discord, first, "You are next."))
            second = await discord.post("command", user=bob, command="ask", options={"question": "And me?"})
            await until(lambda: _shows(discord, second, "You are number 2 in the queue."))
        await until(lambda: _shows(discord, first, "You asked: Hello? This is all that I know about it."))
        again = await discord.post("command", user=ann, command="ask", options={"question": "More?"})
        await until(lambda: _shows(discord, again, "Try again in"))
        await until(lambda: _shows(discord, second, "You asked: And me?"))
        await rig.write(bob, "a message")
        await says(rig, bob, "You asked: a message")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


async def _has_command(discord):
    return any("ask" in names for names in (await discord.get("sessions"))["commands"].values())


async def _shows(discord, command, text):
    return any(text in message["content"] for message in await discord.get("messages", channel=command["channel"]))


@pytest.fixture
def timed():
    """A Bursar whose time the test moves."""
    one = Served(argparse.Namespace(clock=True, bursards=1, options=[]))
    yield one
    one.end()


async def test_a_bot_that_is_killed_gives_its_slot_and_its_reservation_back(aiogram_bot, timed, errors):
    async with Bursar(addresses(timed), on_error=errors) as bursar:
        pool = await accounts.pool(bursar, slots=1)
        rig = aiogram_bot(timed, POOL=pool.name, WORDS_A_SECOND="0.01")
        await polls(rig)
        ann = next(numbers)
        await account_with(bursar, rig.account(ann), accounts.per_day(10_000, "TOKENS"))
        await rig.write(ann, "Hello?")
        await until(lambda: _in_pool(bursar, pool, (1, 0)))
        assert await accounts.used(bursar, rig.account(ann)) > 0
        rig.process.kill()
        await until(lambda: _in_pool(bursar, pool, (0, 0)))
        timed.clock.advance(16 * 60)  # the reservation's 15 minutes

        async def given_back():
            return await accounts.used(bursar, rig.account(ann)) == 0
        await until(given_back)


async def test_a_record_that_waits_when_the_bot_dies_arrives_once_after_its_restart(aiogram_bot, own, errors, tmp_path):
    async with Bursar(addresses(own), on_error=errors) as bursar:
        pool = await accounts.pool(bursar, slots=1)
        rig = aiogram_bot(own, POOL=pool.name, WORDS_A_SECOND="6")
        await polls(rig)
        ann = next(numbers)
        await account_with(bursar, rig.account(ann), accounts.per_day(10_000, "TOKENS"))
        await rig.write(ann, "Hello?")
        await until(lambda: _in_pool(bursar, pool, (1, 0)))
        own.bursards[0].stop()
        await says(rig, ann, "This is all that I know about it.")
        await until(lambda: list((tmp_path / "spool").glob("*.json")))
        rig.process.kill()
        own.bursards[0].start()
        aiogram_bot(own, POOL=pool.name)
        await until(lambda: not list((tmp_path / "spool").glob("*.json")), seconds=120)
        await until(lambda: own.database.query("SELECT 1 FROM ledger"))
        assert own.database.query("SELECT user_id, requests FROM ledger") == [(rig.account(ann), 1)]
        assert 0 < await accounts.used(bursar, rig.account(ann)) < 100
