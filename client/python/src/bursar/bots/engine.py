"""What every bot does with a message, whatever its framework: asks whether it may run, waits in the queue without holding up the
framework, tells users once what they have to know, runs the bot's own work, records its use, and gives everything back.

An adapter makes a Place of each update. Errors of Bursar and of the messenger go to `on_error`; what the bot's own work raises goes
where the framework's errors go. Nothing is ever raised into the framework.
"""
from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from bursar import Bursar, BursarError, Check, Denied, Job, LeaseLost, Limit, Queued, Slot
from bursar.bots._memory import CoolDowns, Seen
from bursar.bots._notices import Notice, Notices, retry_after_s
from bursar.bots._options import Options
from bursar.bots.texts import Speaker
from bursar.v1 import types_pb2

log = logging.getLogger("bursar.bots")

TROUBLE_MS = 30_000  # for so long it is not said again that nobody could be asked
LONGEST_SEND_PAUSE_S = 60.0
NOT_FOR_SALE = frozenset({"suspended", "deleted", "unknown_user", "request_closed"})  # an upgrade changes nothing
SERVER_SPEAKS = ("", "en", "de", "ru", "es")

Work = Callable[[Job], Awaitable[object]]


@dataclasses.dataclass(frozen=True, slots=True)
class Button:
    """Below a message; opens a page."""

    text: str
    url: str


class Place(Protocol):
    """Where an update came from, and where its user reads what the bot says."""

    request_id: str  #: the same for every copy of the same update, in every process
    user: str  #: "telegram:17"
    chat: str  #: "telegram-chat:-42": the group; "" when they are alone with the bot
    language: str
    interface: str
    event: Any  #: what the application's functions get
    once: str  #: where a denial is told once; "": each is answered
    board: str  #: at most one message about the queue is edited at a time here
    every_s: float  #: and the next one so much later
    begin_after_s: float | None  #: `begin` is called after that time at the latest, also while the request waits

    async def say(self, text: str, button: Button | None) -> None:
        """A message for the user, beside the answer."""

    async def deny(self, text: str, button: Button | None, again: bool) -> None:
        """Says why the request may not run. `again`: the user was told lately, so only what has to be answered is."""

    async def show(self, text: str) -> None:
        """The message about the queue: sent, and edited from the second time on."""

    async def hide(self) -> None:
        """Takes that message away."""

    async def begin(self) -> None:
        """What the messenger wants to hear before the bot's own work begins; may come more than once."""

    async def failed(self, error: Exception) -> None:
        """The bot's own work raised this: tells the framework, as if it had noticed."""


class _Failed(Exception):
    """Around what the bot's own work raised, to tell it from our errors."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Begins a task; asyncio itself may forget one that nobody holds."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def _own(check: Check) -> bool:
    """Whether a repeat is of the call itself, whose first answer was lost with its server."""
    return check.retried and check.raw.state == types_pb2.RESERVATION_STATE_OPEN


def _told_before(check: Check) -> bool | None:
    """Whether a denial was told, if the server knows. After a call that was sent again, the answer that said "now" may be the lost one."""
    return {"now": False, "not_again": None if check.retried else True}.get(check.tell)


class Engine:
    """The engine of one bot."""

    def __init__(self, bursar: Bursar, options: Options) -> None:
        self._bursar, self._options = bursar, options
        self._speaker = Speaker(options.texts)
        self._seen = Seen()
        self._told = CoolDowns()
        self._notices = Notices(self.report)
        self._jobs: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._closing = False

    def take(self, place: Place, work: Work) -> asyncio.Task[None] | None:
        """Takes an update, and returns at once; the task never raises. An update that came before, here or in another process, is
        dropped."""
        if self._closing or not self._seen.first(place.request_id):
            return None
        full = len(self._jobs) >= self._options.jobs_max
        return _keep(self._jobs, self._refuse(place) if full else self._serve(place, work))

    async def close(self, grace_s: float = 10.0) -> None:
        """Takes no more updates, lets those under way finish for a while, and gives back what the others hold. Call it before
        Bursar.close."""
        self._closing = True
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=grace_s)
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await asyncio.gather(*self._settling, return_exceptions=True)
        await self._notices.close()

    def report(self, error: Exception) -> None:
        if self._options.on_error is None:
            log.warning("%s: %s", type(error).__name__, error)
            return
        try:
            self._options.on_error(error)
        except Exception:  # must not end the jobs of other users
            log.exception("on_error failed")

    # The way of an update

    async def _serve(self, place: Place, work: Work) -> None:
        beginning = _keep(self._settling, self._begin_in_time(place, place.begin_after_s)) if place.begin_after_s is not None else None
        try:
            checks = await self._ask(place)
            if checks:
                await self._pay(place, checks, work)
        except _Failed as failed:
            await self._hand_over(place, failed.cause)
        except Exception as error:  # of the application's functions, or ours
            self.report(error)
        finally:
            if beginning:
                beginning.cancel()

    async def _begin_in_time(self, place: Place, after_s: float) -> None:
        await asyncio.sleep(after_s)
        try:
            await place.begin()
        except Exception as error:  # of the messenger
            self.report(error)

    async def _pay(self, place: Place, checks: list[Check], work: Work) -> None:
        """Runs the work on the last check; what the others hold follows its end. Warnings come after the answer."""
        *others, check = checks
        job: Job | None = None
        try:
            waits = self._options.pool and check.quality != "none"  # none: the fail policy decided, as no server answers
            job = await (self._queue(place, check, work) if waits else self._run(place, check, work))
        finally:
            await self._settle(others, failed=job is None)
        await self._warn(place, check.notify, check.message)
        if job and job.recorded:
            await self._warn(place, job.recorded.notify)

    async def _ask(self, place: Place) -> list[Check]:
        """The checks of all accounts that count, the one that pays last; none when the update must not run."""
        checks: list[Check] = []
        complete = False
        try:
            for words in self._questions(place):
                check = await self._bursar.check(**words)
                if not check.allowed:
                    await self._denied(place, check)
                    return []
                if check.repeat and not _own(check):  # another process has the update
                    return []
                checks.append(check)
            complete = True
        except BursarError as error:
            self.report(error)
            await self._trouble(place, "unavailable", TROUBLE_MS)
            return []
        finally:
            if not complete:
                await self._settle(checks, failed=True)
        return checks

    def _questions(self, place: Place) -> list[dict[str, Any]]:
        """What is asked. With per="both", the group is asked first, for its requests alone: tokens and cost are the user's."""
        options, event = self._options, place.event
        same = {"interface": place.interface, "language": self._language(place), **self._telling(place)}
        user = (options.user(event) if options.user else None) or place.user
        payer = place.chat if place.chat and options.per == "chat" else user
        questions: list[dict[str, Any]] = [same | {
            "user": payer, "request_id": place.request_id, "model": options.of("model", event),
            "input_tokens": options.of("input_tokens", event), "max_output_tokens": options.of("max_output_tokens", event)}]
        if place.chat and options.per == "both":
            questions.insert(0, same | {"user": place.chat, "request_id": f"{place.request_id}-chat", "max_output_tokens": 1})
        return questions

    def _telling(self, place: Place) -> dict[str, Any]:
        """Asks whether a denial is to be told: the server knows what the other processes of the bot have told."""
        again_ms = self._options.tell_again_ms
        if not place.once or again_ms is None:
            return {}
        return {"tell_place": f"{place.interface}:{place.once}", "tell_again_ms": again_ms}

    async def _run(self, place: Place, check: Check, work: Work) -> Job:
        job = Job(self._bursar, check)
        failed = True
        try:
            await self._work(place, job, work)
            failed = False
        finally:
            try:
                await self._bursar._finish(job._settle(failed), heard=not failed)
            except BursarError as error:  # of the record: the user has their answer
                self.report(error)
        return job

    async def _queue(self, place: Place, check: Check, work: Work) -> Job | None:
        notice = self._notices.enter(place.board, place, place.every_s, self._options.notice_ms / 1000)
        slot: Slot | None = None
        done = False
        try:
            async with self._bursar.pool(self._options.pool).slot(
                    user=check.user, request_id=check.request_id, model=check.model, interface=check.interface,
                    input_tokens=check.input_tokens, max_output_tokens=check.max_output_tokens, language=self._language(place),
                    max_wait_ms=self._options.max_wait_ms, on_queued=lambda event: self._queued(place, notice, event),
                    **self._telling(place)) as slot:
                self._notices.leave(place.board, notice)
                await notice.quiet.wait()
                await self._work(place, slot, work)
                done = True
        except BursarError as error:
            if not done:
                await self._not_queued(place, error)
                return None
            self.report(error)  # the user has their answer
        finally:
            self._notices.leave(place.board, notice)
            if slot is None:  # the server gives back only what it has held for the queue itself
                await self._settle([check], failed=True)
        return slot

    def _queued(self, place: Place, notice: Notice, event: Queued) -> None:
        self._notices.say(place.board, notice, self._speaker.queued(self._language(place), event.position, event.eta_ms))

    async def _not_queued(self, place: Place, error: BursarError) -> None:
        """The queue refused the request, or it lost its slot."""
        if isinstance(error, Denied):
            await self._denied(place, error.check)
        elif error.code == "RESOURCE_EXHAUSTED":
            await self._trouble(place, "busy", error.retry_after_ms or TROUBLE_MS)
        elif isinstance(error, LeaseLost):
            self.report(error)
            await self._trouble(place, "failed", 0)
        else:
            self.report(error)
            await self._trouble(place, "unavailable", TROUBLE_MS)

    async def _work(self, place: Place, job: Job, work: Work) -> None:
        await place.begin()
        try:
            await work(job)
        except Exception as error:
            raise _Failed(error) from error

    async def _hand_over(self, place: Place, error: Exception) -> None:
        try:
            await place.failed(error)
        except Exception as other:  # the framework's error handlers failed
            self.report(other)

    async def _settle(self, checks: list[Check], failed: bool) -> None:
        """Checks that pay for nothing: they count a request, or none if it did not run. Ends even if the job is cancelled."""
        async def settle() -> None:
            for check in checks:
                try:
                    await (self._bursar.cancel(check) if failed else self._bursar.record(check, usage={}))
                except BursarError as error:
                    if not failed or error.code != "NOT_FOUND":  # the server has given it back already
                        self.report(error)

        if checks:
            await asyncio.shield(_keep(self._settling, settle()))

    # What users are told

    def _language(self, place: Place) -> str:
        return ((self._options.language and self._options.language(place.event)) or place.language)[:16]

    async def _denied(self, place: Place, check: Check) -> None:
        """Told once until the request could pass. A request that another process has ended is not this one's."""
        if check.reason == "request_closed":
            return
        text = check.message or self._speaker.say("unavailable", self._language(place))
        whom = f"denied {check.user} {place.once or place.board}"
        first = self._told.begin(whom, self._options.cooldown(check), _told_before(check))
        if not await self._send(place, text, lambda button: place.deny(text, button, not first), check.reason not in NOT_FOR_SALE) and first:
            self._told.owe(whom)

    async def _warn(self, place: Place, limits: list[Limit], message: str = "") -> None:
        """What Bursar says once in a window: in the server's words, if it knows the language."""
        if limits:
            language = self._language(place)
            known = message and language.lower().partition("-")[0] in SERVER_SPEAKS
            text = message if known else self._speaker.warning(language, limits[0])
            await self._send(place, text, lambda button: place.say(text, button), upgrade=True)

    async def _refuse(self, place: Place) -> None:
        await self._trouble(place, "busy", TROUBLE_MS)

    async def _trouble(self, place: Place, name: str, wait_ms: int) -> None:
        """The request does not run, and no limit is the cause."""
        text = self._speaker.say(name, self._language(place), wait_ms=wait_ms)
        first = self._told.begin(f"{name} {place.user}", wait_ms)
        await self._send(place, text, lambda button: place.deny(text, button, not first))

    async def _send(self, place: Place, text: str, send: Callable[[Button | None], Awaitable[None]], upgrade: bool = False) -> bool:
        """Sends it, a second time if the messenger wants a pause before. False if that failed."""
        if not text:
            return True
        try:
            url = self._options.of("upgrade_url", place.event) if upgrade else ""
            button = Button(self._speaker.say("upgrade", self._language(place)), url) if url else None
            try:
                await send(button)
            except Exception as error:
                pause_s = retry_after_s(error)
                if not 0 < pause_s <= LONGEST_SEND_PAUSE_S:
                    raise
                await asyncio.sleep(pause_s)
                await send(button)
        except Exception as error:  # of the messenger: the user may have blocked the bot
            self.report(error)
            return False
        return True
