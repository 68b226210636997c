"""The parts of the engine, and what a real server does only in a bad moment."""
import asyncio
import dataclasses
import string

import accounts
import pytest
from bots.rigs import Aiogram, numbers
from bots.test_bots import says
from conftest import until
from scripted import fail, scripted

import grpc
from bursar import Bursar, BursarError, Limit
from bursar.bots import texts
from bursar.bots._memory import CoolDowns, Seen
from bursar.bots._notices import Notices
from bursar.bots._options import Options
from bursar.bots.engine import Engine
from bursar.v1 import limiter_pb2, types_pb2


# Texts

@pytest.mark.parametrize("language", sorted(texts.BUILT_IN))
def test_every_language_has_every_text_with_the_same_placeholders(language):
    def placeholders(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english, own = texts.BUILT_IN["en"], texts.BUILT_IN[language]
    assert {name: placeholders(text) for name, text in own.items()} == {name: placeholders(text) for name, text in english.items()}


def test_the_nearest_language_is_spoken():
    speaker = texts.Speaker({"pt-BR": {"next": "Agora vai."}, "*": {"upgrade": "Plus"}})
    assert speaker.say("next", "pt-br") == speaker.say("next", "pt_BR") == "Agora vai."
    assert speaker.say("next", "pt") == texts.BUILT_IN["pt"]["next"] and speaker.say("next", "xx-YY") == texts.BUILT_IN["en"]["next"]
    assert speaker.say("upgrade", "de") == "Plus" and speaker.say("upgrade", "") == "Plus"


@pytest.mark.parametrize(("ms", "text"), [(0, "1 s"), (89_000, "89 s"), (90_000, "2 min"), (5_400_000, "2 h"), (36 * 3_600_000, "2 d")])
def test_a_duration_is_rounded_up_to_one_unit(ms, text):
    assert texts.Speaker().duration("en", ms) == text


def test_a_position_has_the_time_if_it_is_worth_mentioning():
    speaker = texts.Speaker()
    assert speaker.queued("en", 3, 45_000) == "⏳ You are number 3 in the queue. About 45 s."
    assert speaker.queued("en", 1, 0) == "⏳ You are next."
    assert texts.Speaker({"en": {"eta": ""}}).queued("en", 3, 45_000) == "⏳ You are number 3 in the queue."


def test_a_warning_names_the_window():
    raw = types_pb2.LimitStatus(limit=types_pb2.Limit(window=types_pb2.CALENDAR_WINDOW_MONTH), used_percent=83)
    assert texts.Speaker().warning("de", Limit.of(raw)) == "Du hast 83 % deines Monatslimits verbraucht."


# Memory

def test_what_was_seen_is_remembered_until_there_is_too_much():
    seen = Seen(2)
    assert [seen.first(key) for key in "aabacb"] == [True, False, True, False, True, True]


def test_somebody_is_told_again_after_the_cool_down_only():
    now = [0.0]
    told = CoolDowns(clock=lambda: now[0])
    assert told.begin("ann", 1000) and not told.begin("ann", 1000) and told.begin("bob", 1000)
    now[0] = 1.0
    assert told.begin("ann", 1000)
    assert told.begin("ann", 1000, before=False) and not told.begin("carl", 1000, before=True)
    told.owe("ann")
    assert told.begin("ann", 1000, before=True) and not told.begin("ann", 1000)


def test_options_that_make_no_sense_are_refused():
    for options in ({"per": "team"}, {"jobs_max": 0}):
        with pytest.raises(BursarError) as refused:
            Options(**options)
        assert refused.value.field in options


# Messages about the queue

@dataclasses.dataclass
class Shown:
    """A message that a test lets through."""

    calls: list = dataclasses.field(default_factory=list)
    gate: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    error: Exception | None = None

    async def show(self, text):
        self.calls.append(text)
        await self.gate.wait()
        if self.error:
            raise self.error

    async def hide(self):
        self.calls.append("hidden")


async def test_the_newest_text_follows_the_one_that_is_under_way():
    notices, shown = Notices(pytest.fail), Shown()
    notice = notices.enter("chat", shown, 0, 0)
    notices.say("chat", notice, "3")
    await until(lambda: shown.calls == ["3"])
    for text in ("2", "1"):
        notices.say("chat", notice, text)
    notices.leave("chat", notices.enter("chat", Shown(), 0, 0))
    assert not notice.quiet.is_set()
    shown.gate.set()
    await until(lambda: shown.calls == ["3", "1"])
    notices.leave("chat", notice)
    await until(lambda: shown.calls == ["3", "1", "hidden"])
    await until(lambda: not notices._chats)


async def test_a_request_that_waits_no_longer_is_not_shown():
    notices, shown = Notices(pytest.fail), Shown()
    notice = notices.enter("chat", shown, 0, 3600)
    notices.say("chat", notice, "3")
    notices.leave("chat", notice)
    await until(lambda: not notices._chats)
    assert shown.calls == []


async def test_a_message_that_cannot_be_edited_is_given_up():
    told = []
    notices, shown = Notices(told.append), Shown(error=ValueError("deleted"))
    shown.gate.set()
    notice = notices.enter("chat", shown, 0, 0)
    for number in range(5):
        notices.say("chat", notice, str(number))
        await until(lambda number=number: len(told) == min(number + 1, 3))
    await notices.close()
    assert shown.calls == ["0", "1", "2", "hidden"]


# Denials

class Chat:
    """An update in a chat; `said` has what the bot says there, `again` what it need not say."""

    chat, language, interface, event, every_s, begin_after_s = "", "en", "telegram", None, 0.0, None

    def __init__(self, user, said, again, once="chat", error=None):
        self.request_id = f"update-{next(numbers)}"
        self.user, self.once, self.board, self._said, self._again, self._error = user, once, once or "somewhere", said, again, error

    async def deny(self, text, button, again):
        if self._error:
            raise self._error
        (self._again if again else self._said).append(self.board)

    async def begin(self):
        """Nothing has to be answered first."""


async def never(job):
    pytest.fail("it was denied")


async def test_of_two_processes_one_tells_a_denial_in_each_chat(bursar):
    user = await accounts.user_with(bursar, accounts.bucket(0))
    said, again = [], []
    two = [Engine(bursar, Options()) for _ in range(2)]
    for once in ("a", "b", ""):
        for engine in (*two, *two):
            await engine.take(Chat(user, said, again, once), never)
    assert said == ["a", "b", "somewhere", "somewhere"], "where it is not asked, each process goes by its own memory"
    assert len(again) == 8


async def tells(errors, *answers, fails_first=False, **options):
    """Denials with these words of the server, at a scripted one: (said, again, requests)."""
    said, again, script = [], [], list(answers)

    async def check(request, context):
        answer = script.pop(0)
        if answer is None:
            await fail(context, grpc.StatusCode.UNAVAILABLE)
        return limiter_pb2.CheckResponse(request_id=request.request_id, reason=types_pb2.REASON_QUOTA, message="No.", tell=answer,
                                         retry_after_us=60_000_000)

    async with scripted() as server:
        server.script["Check"] = check
        async with Bursar(server.address, gather=False, on_error=errors) as client:
            engine = Engine(client, Options(on_error=lambda error: None, **options))
            while script:
                error = ValueError("blocked") if fails_first and len(script) == len(answers) else None
                await engine.take(Chat("ann", said, again, error=error), never)
        return len(said), len(again), server.of("Check")


async def test_the_server_says_whether_a_denial_is_told_if_it_knows(errors):
    now, not_again, unknown = limiter_pb2.TELL_NOW, limiter_pb2.TELL_NOT_AGAIN, limiter_pb2.TELL_UNSPECIFIED
    assert (await tells(errors, now, now, not_again))[:2] == (2, 1)
    assert (await tells(errors, not_again, unknown, unknown))[:2] == (1, 2)
    assert (await tells(errors, now, not_again, not_again, fails_first=True))[:2] == (1, 1), "nobody had read it"
    assert (await tells(errors, None, not_again, not_again))[:2] == (1, 1), "the answer that was lost may have said: now"


@pytest.mark.parametrize(("options", "asked"), [
    ({}, ("telegram:chat", 0)), ({"cooldown_ms": 1000}, ("telegram:chat", 1_000_000)), ({"cooldown_ms": 999}, ("", 0)),
    ({"cooldown_ms": 90_000_000}, ("telegram:chat", 86_400_000_000))])
async def test_an_own_cool_down_is_the_servers_unless_it_keeps_none_so_short(errors, options, asked):
    [request] = (await tells(errors, limiter_pb2.TELL_NOW, **options))[2]
    assert (request.tell_place, request.tell_again_us) == asked


# Repeats

async def answers(server, client_options, telegram, desk, errors):
    """A bot at a scripted server, to which somebody writes."""
    client = Bursar(server.address, on_error=errors, **client_options)
    rig = Aiogram(telegram, desk)
    limited = rig.module.bursar_bot(client, on_error=errors)
    return client, rig, limited


async def test_a_check_whose_first_answer_was_lost_is_the_bots_own(telegram, desk, errors):
    async def check(request, context):
        if len(server.of("Check")) == 1:
            await fail(context, grpc.StatusCode.UNAVAILABLE)
        return limiter_pb2.CheckResponse(allowed=True, request_id=request.request_id, reservation="r", started_at_us=1, repeat=True,
                                         state=types_pb2.RESERVATION_STATE_OPEN)

    async with scripted() as server:
        server.script["Check"] = check
        client, rig, limited = await answers(server, {}, telegram, desk, errors)
        async with client, rig.running(limited):
            ann = next(numbers)
            await rig.write(ann, "one")
            await says(rig, ann, "answer to one")
            await limited.close()


async def test_a_repeat_is_another_process_that_has_the_update(telegram, desk, errors):
    async def check(request, _):
        repeat = request.user.endswith("1")
        return limiter_pb2.CheckResponse(allowed=True, request_id=request.request_id, reservation="r", started_at_us=1, repeat=repeat,
                                         state=types_pb2.RESERVATION_STATE_OPEN)

    async with scripted() as server:
        server.script["Check"] = check
        client, rig, limited = await answers(server, {"gather": False}, telegram, desk, errors)
        async with client, rig.running(limited):
            await rig.write(111_111_111, "one")
            await until(lambda: server.of("Check"))
            await rig.write(111_111_112, "two")
            await says(rig, 111_111_112, "answer to two")
            await limited.close()
    assert desk.begun == ["two"] and len(server.of("Record")) == 1
