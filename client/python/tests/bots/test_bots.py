"""What the plugins promise, in each framework."""
import accounts
import pytest
from bots.rigs import numbers
from conftest import until

from bursar import Bursar
from bursar.v1 import admin_pb2


EXCLUDED = "This is not part of your plan."


async def account_with(bursar, name, *limits):
    """Puts an account on a new tier of just these limits."""
    tier = accounts.unique("bots")
    await bursar.admin.put_tier(tier=admin_pb2.Tier(name=tier, limits=limits))
    await bursar.admin.put_account(ref=admin_pb2.AccountRef(id=name), tier=tier)


async def person_with(bursar, rig, *limits):
    person = next(numbers)
    await account_with(bursar, rig.account(person), *limits)
    return person


async def requests(bursar, account):
    """How many the account has made today."""
    limits = (await bursar.status(user=account)).limits
    return next(limit.used for limit in limits if limit.dimension == "requests" and limit.window == "day")


async def says(rig, chat, text):
    """The message with this text, when it comes."""
    async def said():
        return next((one for one in await rig.said(chat) if text in one), None)
    return await until(said, f"the bot says {text}")


def counted(bursar):
    """The checks that have been answered from now on."""
    answered, check = [], bursar.check

    async def counting(**words):
        answered.append(await check(**words))
        return answered[-1]

    bursar.check = counting
    return answered


async def gone(rig, chat, text):
    async def left():
        return not any(text in one for one in await rig.said(chat))
    await until(left, f"{text} is gone")


# Limits

async def test_a_person_at_the_limit_is_told_once_until_the_request_could_pass(start_bot, bursar, framework, desk):
    rig = await start_bot(framework, bursar)
    ann = await person_with(bursar, rig, accounts.bucket(1))
    answered = counted(bursar)
    for text in ("one", "two", "three", "four"):
        await rig.write(ann, text)
    await until(lambda: len(answered) == 4)
    await says(rig, ann, "Try again in 1 hour.")
    await rig.limited.close()
    assert len([text for text in await rig.said(ann) if "Try again" in text]) == 1
    assert len(desk.begun) == 1


async def test_after_the_cool_down_a_denial_is_told_again(start_bot, bursar, framework):
    rig = await start_bot(framework, bursar, cooldown_ms=0)
    ann = await person_with(bursar, rig, accounts.bucket(0))
    await rig.write(ann, "one")
    await says(rig, ann, EXCLUDED)
    await rig.write(ann, "two")
    await until(lambda: _many(rig, ann, EXCLUDED, 2))


async def _many(rig, chat, text, count):
    return len([one for one in await rig.said(chat) if text in one]) == count


async def test_a_denial_has_a_button_that_leads_to_the_upgrade(start_bot, bursar, framework):
    rig = await start_bot(framework, bursar, upgrade_url=lambda event: "https://example.org/upgrade")
    ann = await person_with(bursar, rig, accounts.bucket(0))
    await rig.write(ann, "one")
    await says(rig, ann, EXCLUDED)
    assert await rig.buttons(ann) == ["https://example.org/upgrade"]


async def test_a_warning_comes_once_and_after_the_answer(start_bot, bursar, framework):
    rig = await start_bot(framework, bursar)
    ann = await person_with(bursar, rig, accounts.per_day(5))
    for number in range(1, 6):
        await rig.write(ann, f"text {number}")
        await says(rig, ann, f"answer to text {number}")
        if number == 4:
            await says(rig, ann, "80% of 5 requests per day are used.")
    await rig.limited.close()
    said = await rig.said(ann)
    assert said[3:] == ["answer to text 4", "80% of 5 requests per day are used.", "answer to text 5"]


async def test_a_warning_that_a_record_brings_comes_once(start_bot, bursar, framework):
    rig = await start_bot(framework, bursar)
    ann = await person_with(bursar, rig, accounts.per_day(10_000, "TOKENS"))
    for text in ("tokens 8500", "tokens 1"):
        await rig.write(ann, text)
        await says(rig, ann, f"answer to {text}")
    await rig.limited.close()
    assert await rig.said(ann) == ["answer to tokens 8500", "You have used 85% of your daily limit.", "answer to tokens 1"]


async def test_what_the_work_used_is_recorded(start_bot, bursar, framework):
    rig = await start_bot(framework, bursar)
    ann = await person_with(bursar, rig, accounts.per_day(10_000, "TOKENS"))
    await rig.write(ann, "tokens 321")
    await says(rig, ann, "answer")
    await rig.limited.close()
    assert await accounts.used(bursar, rig.account(ann)) == 321
    assert not await accounts.held(bursar, rig.account(ann))


@pytest.mark.parametrize("telegram_framework", ["aiogram", "python-telegram-bot"])
async def test_a_button_of_telegram_is_answered_also_when_it_is_denied_again(start_bot, bursar, telegram_framework):
    rig = await start_bot(telegram_framework, bursar)
    ann = await person_with(bursar, rig, accounts.bucket(1))
    await rig.write(ann, "/ping")
    await says(rig, ann, "pong")
    await rig.press(ann, "go on")
    await until(lambda: _pressed(rig, ["answer to go on"]))
    await rig.press(ann, "go on")
    await says(rig, ann, "Try again")
    await rig.press(ann, "go on")
    await until(lambda: _pressed(rig, ["answer to go on", "", "Try again"]))
    assert len(await rig.said(ann)) == 2


async def _pressed(rig, expected):
    answers = await rig.pressed()
    return len(answers) == len(expected) and all(part in answer for part, answer in zip(expected, answers))


# Groups

async def group_bot(start_bot, bursar, framework, per, group_limit, person_limit):
    rig = await start_bot(framework, bursar, per=per)
    group = rig.group()
    await account_with(bursar, rig.group_account(group), accounts.bucket(group_limit))
    people = [await person_with(bursar, rig, accounts.bucket(person_limit)) for _ in range(2)]
    return rig, group, people


async def test_in_a_group_each_person_has_limits_of_their_own(start_bot, bursar, framework):
    rig, group, (ann, bob) = await group_bot(start_bot, bursar, framework, "user", 0, 1)
    await rig.write(ann, "a", group)
    await rig.write(bob, "b", group)
    await says(rig, group, "answer to a")
    await says(rig, group, "answer to b")
    await rig.write(ann, "more", group)
    await says(rig, group, "Try again")


async def test_a_group_has_limits_that_all_share(start_bot, bursar, framework):
    rig, group, (ann, bob) = await group_bot(start_bot, bursar, framework, "chat", 1, 0)
    await rig.write(ann, "a", group)
    await says(rig, group, "answer to a")
    await rig.write(bob, "b", group)
    await says(rig, group, "Try again")


async def test_with_both_the_group_counts_requests_and_the_person_pays(start_bot, bursar, framework):
    rig, group, (ann, bob) = await group_bot(start_bot, bursar, framework, "both", 1, 5)
    await rig.write(ann, "tokens 7", group)
    await says(rig, group, "answer to tokens 7")
    await rig.write(bob, "b", group)
    await says(rig, group, "Try again")
    await rig.limited.close()
    assert [await accounts.used(bursar, name) for name in (rig.group_account(group), rig.account(ann), rig.account(bob))] == [1, 1, 0]
    assert not await accounts.held(bursar, rig.group_account(group)) and not await accounts.held(bursar, rig.account(ann))


async def test_with_both_a_person_at_their_limit_costs_the_group_nothing(start_bot, bursar, framework):
    rig, group, (ann, _) = await group_bot(start_bot, bursar, framework, "both", 5, 0)
    await rig.write(ann, "a", group)
    await says(rig, group, EXCLUDED)
    await rig.limited.close()
    assert await accounts.used(bursar, rig.group_account(group)) == 0


async def test_a_private_chat_is_its_user(start_bot, bursar, framework):
    rig = await start_bot(framework, bursar, per="chat")
    ann = await person_with(bursar, rig, accounts.bucket(1))
    await rig.write(ann, "one")
    await says(rig, ann, "answer to one")
    assert await accounts.used(bursar, rig.account(ann)) == 1


async def test_the_application_can_name_the_user(start_bot, bursar, framework):
    owner = accounts.unique("owner")
    await account_with(bursar, owner, accounts.bucket(0))
    rig = await start_bot(framework, bursar, user=lambda event: owner)
    ann = next(numbers)
    await rig.write(ann, "one")
    await says(rig, ann, EXCLUDED)


# The same update again

async def test_an_update_that_comes_again_runs_once(start_bot, bursar, framework, desk):
    rig = await start_bot(framework, bursar)
    ann, bob = next(numbers), next(numbers)
    sent = await rig.write(ann, "one")
    await says(rig, ann, "answer to one")
    await rig.again(sent)
    await rig.write(bob, "two")
    await says(rig, bob, "answer to two")
    await rig.limited.close()
    assert desk.begun == ["one", "two"] and await requests(bursar, rig.account(ann)) == 1


# Errors

async def test_without_a_server_the_person_is_told_once_and_on_error_each_time(start_bot, bursar, framework, desk):
    told = []
    async with Bursar("127.0.0.1:1", timeout_ms=300) as nobody:
        rig = await start_bot(framework, nobody, on_error=told.append)
        ann = next(numbers)
        for text in ("one", "two"):
            await rig.write(ann, text)
        await until(lambda: len(told) == 2)
        await says(rig, ann, "not possible right now")
        await rig.limited.close()
    assert [error.code for error in told] == ["UNAVAILABLE"] * 2
    assert len(await rig.said(ann)) == 1 and not desk.begun and not rig.failures


async def test_what_the_work_raises_goes_to_the_framework_and_the_reservation_comes_back(start_bot, bursar, framework):
    rig = await start_bot(framework, bursar)
    ann = await person_with(bursar, rig, accounts.bucket(3))
    await rig.write(ann, "fail now")
    await until(lambda: rig.failures)
    assert [str(error) for error in rig.failures] == ["broken"]
    assert await accounts.used(bursar, rig.account(ann)) == 0 and not await accounts.held(bursar, rig.account(ann))


async def test_errors_of_the_messenger_and_of_options_are_caught(start_bot, bursar, framework):
    told = []

    def language(_):
        raise KeyError("no language")

    rig = await start_bot(framework, bursar, on_error=told.append, language=language)
    await rig.write(next(numbers), "one")
    await until(lambda: told)
    assert isinstance(told.pop(), KeyError)

    rig = await start_bot(framework, bursar, on_error=told.append)
    ann = await person_with(bursar, rig, accounts.bucket(1))
    await rig.write(ann, "one")
    await says(rig, ann, "answer to one")
    await rig.refuse("send", ann)
    await rig.write(ann, "two")
    await until(lambda: told)
    assert not rig.failures and "orbidden" in repr(told[0])


async def test_a_denial_that_the_messenger_delays_is_told_after_the_pause(start_bot, bursar, framework):
    rig = await start_bot(framework, bursar)
    ann = await person_with(bursar, rig, accounts.bucket(1))
    await rig.write(ann, "one")
    await says(rig, ann, "answer to one")
    await rig.refuse("send", ann, retry_after=1)
    await rig.write(ann, "two")
    await says(rig, ann, "Try again")


async def test_more_jobs_than_there_may_be_are_refused(start_bot, bursar, framework, desk):
    rig = await start_bot(framework, bursar, jobs_max=2)
    people = [next(numbers) for _ in range(3)]
    for person in people[:2]:
        await rig.write(person, f"hold {person}")
    await until(lambda: len(desk.begun) == 2)
    await rig.write(people[2], "one more")
    await says(rig, people[2], "Too many requests are waiting.")
    for person in people[:2]:
        desk.let_go(f"hold {person}")
        await until(lambda account=rig.account(person): _free(bursar, account))
    await rig.write(people[2], "again")
    await says(rig, people[2], "answer to again")
    assert "one more" not in desk.begun


async def _free(bursar, account):
    return not await accounts.held(bursar, account)


async def test_closing_gives_back_what_unfinished_jobs_hold(start_bot, bursar, framework, desk):
    rig = await start_bot(framework, bursar)
    ann = await person_with(bursar, rig, accounts.bucket(3))
    await rig.write(ann, "hold it")
    await until(lambda: desk.begun)
    await rig.limited.close(grace_s=0)
    assert await accounts.used(bursar, rig.account(ann)) == 0 and not await accounts.held(bursar, rig.account(ann))
