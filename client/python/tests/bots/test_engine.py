"""The parts of the engine, and what a real server does only in a bad moment."""
import asyncio
import dataclasses
import string

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
