"""Fixtures of the plugins' tests: real frameworks at imitations of the messengers."""
import contextlib

import pytest
import pytest_asyncio
from bots import messengers, rigs


@pytest.fixture(scope="session")
def telegram():
    one = messengers.Telegram()
    yield one
    one.end()


@pytest.fixture(scope="session")
def discord():
    one = messengers.Discord()
    yield one
    one.end()


@pytest.fixture
def desk():
    return rigs.Desk()


@pytest_asyncio.fixture
async def start_bot(telegram, discord, desk, errors, bursar):
    """await start_bot(framework, bursar, **options): the bot, until the test ends, before the fixture's client."""
    assert bursar
    async with contextlib.AsyncExitStack() as running:
        async def start(framework, client, **options):
            rig = rigs.RIGS[framework](discord if framework == "discord.py" else telegram, desk)
            rig.limited = rig.module.bursar_bot(client, **({"on_error": errors} | options))
            await running.enter_async_context(rig.running(rig.limited))
            return rig

        yield start


@pytest.fixture(params=list(rigs.RIGS))
def framework(request):
    return request.param
