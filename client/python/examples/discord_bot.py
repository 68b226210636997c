"""A Discord bot with discord.py: check, queue, run, record, warn. An LLM that only pretends is part of it, so that it runs as it is:

    deploy/local up
    pip install bursar discord.py
    DISCORD_TOKEN=... python client/python/examples/discord_bot.py        # the token comes from discord.com/developers

It answers /ask, and messages to it. Who is over a limit reads for how long, which for a command only they see; who waits for one of the pool's
slots sees their position; a quota that is nearly used up is mentioned once. Records that cannot be delivered wait in a folder (SPOOL).
"""
import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable

import discord
import yarl
from discord import app_commands

from bursar import Bursar, Job
from bursar.bots.discord import bursar_bot
from bursar.estimate import estimate_tokens

MODEL = os.environ.get("MODEL", "gpt-4o")
MOST = 500  # tokens that an answer may have
WORDS_A_SECOND = float(os.environ.get("WORDS_A_SECOND", "10"))
EDIT_EVERY_S = 1.5


def question_of(event: discord.Message | discord.Interaction) -> str:
    return event.content if isinstance(event, discord.Message) else event.namespace.question


bursar = Bursar(spool=os.environ.get("SPOOL", "var/discord-spool"), on_error=lambda error: print("bursar:", error))  # BURSAR_ADDR, BURSAR_KEY
limited = bursar_bot(
    bursar,
    model=MODEL,
    pool=os.environ.get("POOL", "agent-execution"),  # wait for a slot; leave it out to run at once
    input_tokens=lambda event: estimate_tokens(question_of(event)),
    max_output_tokens=MOST,
    upgrade_url=os.environ.get("UPGRADE_URL", ""),
)


class Client(discord.Client):
    async def setup_hook(self) -> None:
        await tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if self.user in message.mentions or not message.guild:
            await reply(message)

    async def close(self) -> None:
        await limited.close()  # before Discord and Bursar end
        await super().close()


client = Client(intents=discord.Intents.default())
tree = app_commands.CommandTree(client)


@tree.command(description="Ask me anything.")
@limited
async def ask(interaction: discord.Interaction, job: Job, question: str) -> None:
    """Runs when the user's limits and the queue allow it. Discord has been told by then that an answer will come."""
    async def show(text: str) -> None:
        await interaction.edit_original_response(content=text)

    await answer(job, question, show)


@limited
async def reply(message: discord.Message, job: Job) -> None:
    sent = await message.reply("...")

    async def show(text: str) -> None:
        await sent.edit(content=text)

    await answer(job, message.content, show)


async def answer(job: Job, question: str, show: Callable[[str], Awaitable[None]]) -> None:
    text, edited = "", time.monotonic()
    async for chunk in llm(question):
        if chunk.get("usage"):
            job.usage(chunk, provider="openai")  # as it came; Bursar reads it
        text += "".join(choice["delta"].get("content", "") for choice in chunk["choices"])
        if time.monotonic() >= edited + EDIT_EVERY_S:
            await show(text)
            edited = time.monotonic()
    await show(text or "I have nothing to say.")


async def llm(question: str):
    """Pretends: chunks as OpenAI streams them. In its place: `await openai.chat.completions.create(stream=True,
    stream_options={"include_usage": True}, ...)`."""
    words = f"You asked: {question} This is all that I know about it.".split()
    for word in words:
        await asyncio.sleep(1 / WORDS_A_SECOND)
        yield {"object": "chat.completion.chunk", "model": MODEL, "choices": [{"index": 0, "delta": {"content": word + " "}}]}
    used = estimate_tokens(question)
    yield {"object": "chat.completion.chunk", "model": MODEL, "choices": [],
           "usage": {"prompt_tokens": used, "completion_tokens": len(words), "total_tokens": used + len(words)}}


async def main() -> None:
    if "DISCORD_API" in os.environ:  # another server than Discord's
        discord.http.Route.BASE = os.environ["DISCORD_API"]
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY"])
    async with bursar, client:
        await client.start(os.environ["DISCORD_TOKEN"])


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
