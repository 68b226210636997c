"""The imitations of Telegram and of Discord, as processes that a test controls."""
import json
import pathlib
import subprocess
import sys

import aiohttp

IMITATIONS = pathlib.Path(__file__).resolve().parents[4] / "tests" / "clients" / "imitations"


class Messenger:
    """One process for all tests: each has bots, people and groups of its own."""

    def __init__(self, program):
        self.process = subprocess.Popen([sys.executable, str(IMITATIONS / program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0

    async def post(self, verb, **told):
        async with aiohttp.ClientSession() as session, session.post(f"{self.control}/{verb}", json=told) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            return said

    async def get(self, what, **query):
        async with aiohttp.ClientSession() as session, session.get(f"{self.control}/{what}", params=query) as answer:
            return await answer.json()


class Telegram(Messenger):
    def __init__(self):
        super().__init__("telegram.py")
        self.url = self.ready["url"]
        self.control = f"{self.url}/control"


class Discord(Messenger):
    def __init__(self):
        super().__init__("discord.py")
        self.api, self.gateway, self.control = self.ready["api"], self.ready["gateway"], self.ready["control"]
