"""aiogram 3: limits for a bot's handlers.

    limited = bursar_bot(bursar, model="gpt-5", pool="agent-execution")

    @dispatcher.message(F.text)
    @limited
    async def answer(message: Message, job: Job) -> None:
        response = await openai.chat.completions.create(...)
        job.usage(response)
        await message.answer(...)

    dispatcher.shutdown.register(limited.close)

The handler gets the job in a parameter of that name, and everything else that aiogram knows. It runs in a task of its own: aiogram has its
answer at once, also in a webhook, and an update that Telegram sends again runs once. What it raises goes to the dispatcher's errors.
"""
from __future__ import annotations

import functools
import importlib
import inspect
import types
from collections.abc import Awaitable, Callable
from typing import Any, Unpack

from bursar import Bursar, Job
from bursar.bots._options import BotOptions, Options
from bursar.bots._telegram import TelegramPlace, place_of
from bursar.bots.engine import Engine

Handler = Callable[..., Awaitable[Any]]


def bursar_bot(bursar: Bursar, **options: Unpack[BotOptions]) -> Limited:
    """A decorator for handlers of messages, callback queries and whatever else has a sender."""
    return Limited(Engine(bursar, Options(**options)))


class Limited:
    """The decorator."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, handler: Handler) -> Handler:
        known = inspect.signature(handler).parameters
        takes_all = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values())

        async def wrapper(event: Any, **data: Any) -> None:
            async def work(job: Job) -> None:
                words = data | {"job": job}
                result = await handler(event, **(words if takes_all else {name: words[name] for name in known if name in words}))
                if hasattr(result, "__api_method__"):  # aiogram makes the call that a handler returns
                    await data["bot"](result)

            self._engine.take(_place(event, data), work)

        # Without __wrapped__, aiogram hands over everything it has, so also the update.
        functools.update_wrapper(wrapper, handler)
        del wrapper.__dict__["__wrapped__"]
        return wrapper

    async def close(self, grace_s: float = 10.0) -> None:
        """For `dispatcher.shutdown.register`: lets running jobs finish for a while, and gives back what the others hold."""
        await self._engine.close(grace_s)


def _place(event: Any, data: dict[str, Any]) -> TelegramPlace:
    update = data["event_update"]
    message = event if hasattr(event, "message_id") and hasattr(event, "chat") else getattr(event, "message", None)

    async def hand_over(error: Exception) -> None:
        error_event = _types().ErrorEvent(update=update, exception=error)
        unhandled = importlib.import_module("aiogram.dispatcher.event.bases").UNHANDLED
        if await data["dispatcher"].propagate_event("error", error_event, **data) is unhandled:
            importlib.import_module("aiogram.loggers").event.error("The handler of update id=%d failed", update.update_id, exc_info=error)

    pressed = event.id if type(event).__name__ == "CallbackQuery" else ""
    return place_of(update.update_id, event, message, getattr(event, "from_user", None), data["bot"], _types(), hand_over, pressed)


@functools.cache
def _types() -> types.ModuleType:
    return importlib.import_module("aiogram.types")
