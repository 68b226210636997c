"""Two instances of a bot behind one webhook, and two bursards: Telegram delivers an update to either, sometimes twice."""
import contextlib

import accounts
import aiogram
import pytest_asyncio
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from bots.rigs import Aiogram, numbers
from conftest import addresses, until

import bursar.bots.aiogram
from bursar import Bursar, BursarError

PEOPLE, SLOTS = 200, 5


@pytest_asyncio.fixture
async def instances(telegram, fleet, errors, desk, bursar):
    """await instances(**options): the rig of two instances of one bot, each with a client of its own, which knows both bursards."""
    assert bursar
    rig = Aiogram(telegram, desk)
    async with contextlib.AsyncExitStack() as running:
        async def instance(options):
            client = await running.enter_async_context(Bursar(addresses(fleet), on_error=errors))
            limited = _plugin(client, on_error=errors, **options)
            bot = aiogram.Bot(rig.token, session=AiohttpSession(api=TelegramAPIServer.from_base(telegram.url)))
            running.push_async_callback(bot.session.close)
            running.push_async_callback(limited.close, 0)
            site = web.Application()
            # Waits for the handler: the plugin itself has to be quick.
            SimpleRequestHandler(rig.dispatcher(limited), bot, handle_in_background=False).register(site, "/hook")
            runner = web.AppRunner(site)
            await runner.setup()
            running.push_async_callback(runner.cleanup)
            listening = web.TCPSite(runner, "127.0.0.1", 0)
            await listening.start()
            return f"http://127.0.0.1:{listening._server.sockets[0].getsockname()[1]}/hook"

        async def start(**options):
            urls = [await instance(options) for _ in range(2)]
            await telegram.post("webhook", bot=rig.bot_id, urls=urls)
            return rig

        yield start


def _plugin(client, **options):
    return bursar.bots.aiogram.bursar_bot(client, **options)


async def delivered(rig, count):
    made = (await rig.messenger.post("deliveries", bot=rig.bot_id))["deliveries"]
    return len([one for one in made if one["status"] == 200]) == count


async def test_an_update_that_is_delivered_to_both_instances_runs_once(instances, bursar, desk):
    rig = await instances()
    sent = [await rig.write(next(numbers), f"text {number}") for number in range(10)]
    await until(lambda: delivered(rig, 10))
    await until(lambda: len(desk.ended) == 10)
    for update in sent:
        await rig.again(update)
        await rig.again(update)
    await until(lambda: delivered(rig, 30))
    await rig.write(next(numbers), "the last")
    await until(lambda: "the last" in desk.ended)
    assert sorted(desk.begun) == sorted([f"text {number}" for number in range(10)] + ["the last"])
    assert bursar


async def test_two_hundred_people_get_one_answer_each_and_never_more_run_than_there_are_slots(instances, bursar, fleet, desk):
    pool = await accounts.pool(bursar, slots=SLOTS, wait_max_us=3_600_000_000, predicted_wait_max_us=3_600_000_000, estimate_us=1_000_000)
    await until(lambda: _known(fleet, pool.name))
    rig = await instances(pool=pool.name)
    people = [next(numbers) for _ in range(PEOPLE)]
    for person in people:
        await rig.write(person, f"hold {person}")
    texts = {f"hold {person}" for person in people}
    answered = set()
    while len(answered) < PEOPLE:
        await until(lambda: set(desk.begun) - answered)
        running = set(desk.begun) - set(desk.ended)
        assert len(running) <= SLOTS
        for text in running:
            desk.let_go(text)
        answered |= running
    await until(lambda: len(desk.ended) == PEOPLE, seconds=60)
    assert sorted(desk.begun) == sorted(texts)
    await until(lambda: _empty(bursar, pool))


async def _known(fleet, name):
    """Whether both bursards have heard of the pool."""
    for address in addresses(fleet):
        async with Bursar(address) as client:
            try:
                async with client.pool(name).slot(user=accounts.unique("first")):
                    pass
            except BursarError:
                return False
    return True


async def _empty(client, pool):
    return await accounts.in_pool(client, pool) == (0, 0)
