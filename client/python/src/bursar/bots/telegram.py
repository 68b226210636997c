"""python-telegram-bot 20 and later: limits for a bot's handlers.

    limited = bursar_bot(bursar, model="gpt-5", pool="agent-execution")

    @limited
    async def answer(update: Update, context: ContextTypes.DEFAULT_TYPE, job: Job) -> None:
        response = await openai.chat.completions.create(...)
        job.usage(response)
        await update.message.reply_text(...)

    application = Application.builder().token(TOKEN).post_stop(limited.close).build()
    application.add_handler(MessageHandler(filters.TEXT, answer))

The handler runs in a task of its own: the next user's update is not held up by one that waits, also without `concurrent_updates`, and an
update that Telegram sends again runs once. What it raises goes to the application's error handlers.
"""
from __future__ import annotations

import functools
import importlib
from collections.abc import Awaitable, Callable
from typing import Any, Unpack

from bursar import Bursar, Job
from bursar.bots._options import BotOptions, Options
from bursar.bots._telegram import TelegramPlace, place_of
from bursar.bots.engine import Engine

Handler = Callable[[Any, Any, Job], Awaitable[Any]]


def bursar_bot(bursar: Bursar, **options: Unpack[BotOptions]) -> Limited:
    """A decorator for callbacks of handlers; `event` of the options is the Update."""
    return Limited(Engine(bursar, Options(**options)))


class Limited:
    """The decorator."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, handler: Handler) -> Callable[[Any, Any], Awaitable[None]]:
        @functools.wraps(handler)
        async def wrapper(update: Any, context: Any) -> None:
            async def work(job: Job) -> None:
                try:
                    await handler(update, context, job)
                finally:
                    _changed(update, context)

            self._engine.take(_place(update, context), work)

        return wrapper

    async def close(self, application: object = None, grace_s: float = 10.0) -> None:
        """For `post_stop`: lets running jobs finish for a while, and gives back what the others hold."""
        await self._engine.close(grace_s)


def _place(update: Any, context: Any) -> TelegramPlace:
    async def hand_over(error: Exception) -> None:
        await context.application.process_error(update, error)

    pressed = update.callback_query.id if update.callback_query else ""
    return place_of(update.update_id, update, update.effective_message, update.effective_user, context.bot,
                    importlib.import_module("telegram"), hand_over, pressed)


def _changed(update: Any, context: Any) -> None:
    """The handler may have changed chat_data and user_data, after the update was over for the application's persistence."""
    for name, about in (("chat_ids", update.effective_chat), ("user_ids", update.effective_user)):
        if about is not None:
            context.application.mark_data_for_update_persistence(**{name: about.id})
