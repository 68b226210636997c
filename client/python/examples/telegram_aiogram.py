"""A Telegram bot with aiogram: check, queue, run, record, warn. An LLM that only pretends is part of it, so that it runs as it is:

    deploy/local up
    pip install bursar aiogram
    BOT_TOKEN=... python client/python/examples/telegram_aiogram.py        # the token comes from @BotFather

Who is over a limit reads once for how long; who waits for one of the pool's slots sees their position; a quota that is nearly used up is mentioned
once. Records that cannot be delivered wait in a folder (SPOOL), and arrive when the bot or Bursar is back.
"""
import asyncio
import os
import time

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from bursar import Bursar, Job
from bursar.bots.aiogram import bursar_bot
from bursar.estimate import estimate_tokens

MODEL = os.environ.get("MODEL", "gpt-4o")
MOST = 500  # tokens that an answer may have
WORDS_A_SECOND = float(os.environ.get("WORDS_A_SECOND", "10"))
EDIT_EVERY_S = 1.5

bursar = Bursar(spool=os.environ.get("SPOOL", "var/telegram-spool"), on_error=lambda error: print("bursar:", error))  # BURSAR_ADDR, BURSAR_KEY
dispatcher = Dispatcher()
limited = bursar_bot(
    bursar,
    model=MODEL,
    pool=os.environ.get("POOL", "agent-execution"),  # wait for a slot; leave it out to run at once
    per="both",  # in a group, everybody pays for themselves, and the group's number of requests is limited as well
    input_tokens=lambda message: estimate_tokens(message.text),
    max_output_tokens=MOST,
    upgrade_url=os.environ.get("UPGRADE_URL", ""),
)


@dispatcher.message(CommandStart())
async def start(message: Message) -> None:
    await message.answer("Ask me anything. /status says what you have left.")


@dispatcher.message(Command("status"))
async def status(message: Message) -> None:
    """Changes nothing, so it is not limited."""
    state = await bursar.status(user=f"telegram:{message.from_user.id}", language=message.from_user.language_code or "")
    lines = [f"{limit.dimension} per {limit.window or 'period'}: {limit.used_percent}% used" for limit in state.limits
             if limit.account_kind == "user"]
    await message.answer("\n".join([f"Your plan: {state.tier}", *lines]))


@dispatcher.message(F.text)
@limited
async def answer(message: Message, job: Job) -> None:
    """Runs when the user's limits and the queue allow it."""
    shown, text, edited = await message.answer("..."), "", time.monotonic()
    async for chunk in llm(message.text):
        if chunk.get("usage"):
            job.usage(chunk, provider="openai")  # as it came; Bursar reads it
        text += "".join(choice["delta"].get("content", "") for choice in chunk["choices"])
        if time.monotonic() >= edited + EDIT_EVERY_S:
            await shown.edit_text(text)
            edited = time.monotonic()
    await shown.edit_text(text or "I have nothing to say.")


async def llm(question: str):
    """Pretends: chunks as OpenAI streams them. In its place: `await openai.chat.completions.create(stream=True,
    stream_options={"include_usage": True}, ...)`."""
    words = f"You asked: {question} This is all that I know about it.".split()
    for word in words:
        await asyncio.sleep(1 / WORDS_A_SECOND)
        yield {"object": "chat.completion.chunk", "model": MODEL, "choices": [{"index": 0, "delta": {"content": word + " "}}]}
    yield {"object": "chat.completion.chunk", "model": MODEL, "choices": [],
           "usage": {"prompt_tokens": estimate_tokens(question), "completion_tokens": len(words), "total_tokens": estimate_tokens(question) + len(words)}}


async def main() -> None:
    server = os.environ.get("TELEGRAM_API")  # a Bot API server of your own
    session = AiohttpSession(api=TelegramAPIServer.from_base(server) if server else PRODUCTION)
    bot = Bot(os.environ["BOT_TOKEN"], session=session)
    async with bursar:
        dispatcher.shutdown.register(limited.close)  # before the bot and Bursar end
        await dispatcher.start_polling(bot)


if __name__ == "__main__":
    asyncio.run(main())
