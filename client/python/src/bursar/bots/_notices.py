"""The messages that say where in the queue people are: one for each waiting request, edited in place.

Messengers slow down bots that edit often, and what waits for them piles up. Here at most one edit of a chat is under way, the next one
keeps a distance from its end, and it has the newest text: what was overtaken is never sent.
"""
from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from typing import Protocol

FAILURES = 3  # of one message in a row: perhaps its reader deleted it


class Shown(Protocol):
    """A message that can be edited and taken away."""

    async def show(self, text: str) -> None: ...

    async def hide(self) -> None: ...


class Notice:
    """One waiting request."""

    def __init__(self, shown: Shown, every_s: float, begins_at: float) -> None:
        self.shown = shown
        self.every_s = every_s
        self.begins_at = begins_at
        self.wanted = self.said = ""
        self.over = False
        self.failures = 0
        self.quiet = asyncio.Event()  # no edit of it is under way
        self.quiet.set()

    @property
    def stale(self) -> bool:
        return not self.over and self.wanted != self.said and self.failures < FAILURES


class _Chat:
    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.task: asyncio.Task[None] | None = None
        self.woken = asyncio.Event()
        self.next_at = 0.0


def retry_after_s(error: BaseException) -> float:
    """What the exceptions of aiogram and python-telegram-bot say about a 429."""
    told = getattr(error, "retry_after", 0)
    return told.total_seconds() if isinstance(told, datetime.timedelta) else float(told or 0)


class Notices:
    """The waiting requests of all chats."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._chats: dict[str, _Chat] = {}
        self._failed = failed

    def enter(self, chat: str, shown: Shown, every_s: float, after_s: float) -> Notice:
        """A request that waits from now on. Nothing is shown of a wait that is shorter than `after_s`."""
        notice = Notice(shown, every_s, asyncio.get_running_loop().time() + after_s)
        self._chats.setdefault(chat, _Chat()).notices.append(notice)
        return notice

    def say(self, chat: str, notice: Notice, text: str) -> None:
        """Soon to be read, unless a newer text takes its place."""
        notice.wanted = text
        self._work_on(chat)

    def leave(self, chat: str, notice: Notice) -> None:
        """The request waits no longer: its message is taken away. `notice.quiet` says when no edit can come anymore."""
        notice.over = True
        self._work_on(chat)

    async def close(self) -> None:
        for chat, known in list(self._chats.items()):
            for notice in known.notices:
                notice.over = True
            self._work_on(chat)
        await asyncio.gather(*(chat.task for chat in list(self._chats.values()) if chat.task), return_exceptions=True)

    def _work_on(self, name: str) -> None:
        chat = self._chats.get(name)
        if chat is None:
            return
        chat.woken.set()
        if chat.task is None:
            chat.task = asyncio.get_running_loop().create_task(self._work(name, chat))

    async def _work(self, name: str, chat: _Chat) -> None:
        loop = asyncio.get_running_loop()
        while True:
            over = next((notice for notice in chat.notices if notice.over), None)
            stale = min((notice for notice in chat.notices if notice.stale), key=lambda notice: notice.begins_at, default=None)
            if over:
                chat.notices.remove(over)
                await self._hide(over)
            elif stale is None:
                break
            elif (wait_s := max(chat.next_at, stale.begins_at) - loop.time()) > 0:
                await self._wait(chat, wait_s)
            else:
                pause_s = await self._show(stale)
                stale.begins_at = chat.next_at = loop.time() + pause_s  # the others' turn is next
        chat.task = None
        if not chat.notices:
            del self._chats[name]

    @staticmethod
    async def _wait(chat: _Chat, seconds: float) -> None:
        chat.woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await chat.woken.wait()
        except TimeoutError:
            pass

    async def _show(self, notice: Notice) -> float:
        """How long the chat is to be left alone."""
        text, notice.said = notice.wanted, notice.wanted
        notice.quiet.clear()
        try:
            await notice.shown.show(text)
            notice.failures = 0
        except Exception as error:  # of the messenger
            notice.failures += 1
            self._failed(error)
            return max(notice.every_s, retry_after_s(error))
        finally:
            notice.quiet.set()
        return notice.every_s

    async def _hide(self, notice: Notice) -> None:
        if not notice.said:
            return
        try:
            await notice.shown.hide()
        except Exception as error:  # of the messenger
            self._failed(error)
