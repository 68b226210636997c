"""Waiting in the queue of a pool, in each framework."""
import asyncio

import accounts
from bots.rigs import numbers
from bots.test_bots import gone, says
from conftest import addresses, until

from bursar import Bursar


async def queueing(start_bot, bursar, framework, desk, **options):
    """A bot whose only slot somebody holds."""
    pool = await accounts.pool(bursar, slots=1)
    rig = await start_bot(framework, bursar, pool=pool.name, **({"notice_ms": 0} | options))
    holder = next(numbers)
    await rig.write(holder, "hold first")
    await until(lambda: "hold first" in desk.begun)
    return rig, pool, holder


async def waits(rig, bursar, pool, text, waiting):
    """Somebody writes, and is then one of so many who wait."""
    person = next(numbers)
    await rig.write(person, text)
    await until(lambda: _in_pool(bursar, pool, waiting))
    return person


async def _in_pool(bursar, pool, waiting):
    return (await accounts.in_pool(bursar, pool))[1] == waiting


async def test_the_position_counts_down_in_one_message_that_goes_when_the_work_begins(start_bot, bursar, framework, desk):
    rig, pool, holder = await queueing(start_bot, bursar, framework, desk)
    bob = await waits(rig, bursar, pool, "hold bob", 1)
    cid = await waits(rig, bursar, pool, "cid", 2)
    await says(rig, bob, "You are next.")
    await says(rig, cid, "You are number 2 in the queue.")
    desk.let_go("hold first")
    await until(lambda: "hold bob" in desk.begun)
    await says(rig, cid, "You are next.")
    await gone(rig, bob, "You are next.")
    desk.let_go("hold bob")
    await says(rig, cid, "answer to cid")
    await gone(rig, cid, "You are next.")
    calls = [call for call in await rig.calls(cid) if "answer" not in call.text]
    assert calls[0].kind == "send" and calls[-1].kind == "delete" and {call.kind for call in calls[1:-1]} <= {"edit"}
    assert len({call.message for call in calls[1:]}) == 1
    assert await rig.said(holder) == ["answer to hold first"]


async def test_people_who_wait_do_not_hold_up_the_others(start_bot, bursar, framework, desk):
    rig, pool, _ = await queueing(start_bot, bursar, framework, desk)
    await waits(rig, bursar, pool, "bob", 1)
    eve = next(numbers)
    await rig.write(eve, "/ping")
    await says(rig, eve, "pong")
    assert desk.begun == ["hold first"]
    desk.let_go("hold first")
    await until(lambda: "bob" in desk.begun)


async def test_a_short_wait_is_not_mentioned(start_bot, bursar, framework, desk):
    rig, pool, _ = await queueing(start_bot, bursar, framework, desk, notice_ms=3_600_000)
    bob = await waits(rig, bursar, pool, "bob", 1)
    desk.let_go("hold first")
    await says(rig, bob, "answer to bob")
    assert [call.kind for call in await rig.calls(bob)] == ["send"]


async def test_edits_of_a_chat_wait_for_each_other_and_skip_what_is_old(start_bot, bursar, framework, desk):
    rig, pool, _ = await queueing(start_bot, bursar, framework, desk)
    names = ["hold b", "hold c", "hold d"]
    for number, name in enumerate(names, 1):
        await waits(rig, bursar, pool, name, number)
    eve = await waits(rig, bursar, pool, "eve", 4)
    await says(rig, eve, "number 4")
    await rig.hold_edits(eve)
    for text in ["hold first"] + names[:2]:
        desk.let_go(text)
        await until(lambda text=text: text in desk.ended)
    await until(lambda: names[2] in desk.begun)
    await until(lambda: _edits(rig, eve, 1))
    await rig.release_edits()
    await says(rig, eve, "You are next.")
    made = [call for call in await rig.calls(eve) if call.kind == "edit"]
    assert all(later.began >= earlier.ended + 1.9 for earlier, later in zip(made, made[1:]))
    assert len(made) <= 2  # of three changes
    desk.let_go(names[2])
    await says(rig, eve, "answer to eve")


async def _edits(rig, chat, count):
    return len([call for call in await rig.calls(chat) if call.kind == "edit"]) == count


async def test_a_messenger_that_wants_a_pause_gets_it(start_bot, bursar, framework, desk):
    rig, pool, _ = await queueing(start_bot, bursar, framework, desk, on_error=lambda _: None)
    await waits(rig, bursar, pool, "hold bob", 1)
    cid = await waits(rig, bursar, pool, "hold cid", 2)
    eve = await waits(rig, bursar, pool, "eve", 3)
    await says(rig, eve, "number 3")
    await rig.refuse("edit", eve, retry_after=3)
    desk.let_go("hold first")
    await until(lambda: _edits(rig, eve, 1))
    desk.let_go("hold bob")
    await until(lambda: _edits(rig, eve, 2))
    first, second = [call for call in await rig.calls(eve) if call.kind == "edit"]
    assert second.began >= first.ended + 2.9
    await says(rig, eve, "You are next.")
    desk.let_go("hold cid")
    await says(rig, eve, "answer to eve")
    assert cid


async def test_a_full_queue_is_told_with_the_time(start_bot, bursar, framework, desk):
    rig, pool, _ = await queueing(start_bot, bursar, framework, desk, max_wait_ms=1_000)
    bob = next(numbers)
    await rig.write(bob, "bob")
    await says(rig, bob, "Too many requests are waiting.")
    await until(lambda: _in_pool(bursar, pool, 0))
    assert not await accounts.held(bursar, rig.account(bob)) and "bob" not in desk.begun


async def test_closing_leaves_the_queue(start_bot, bursar, framework, desk):
    rig, pool, holder = await queueing(start_bot, bursar, framework, desk)
    bob = await waits(rig, bursar, pool, "bob", 1)
    await says(rig, bob, "You are next.")
    await rig.limited.close(grace_s=0)
    assert await accounts.in_pool(bursar, pool) == (0, 0)
    for person in (holder, bob):
        assert not await accounts.held(bursar, rig.account(person))
    assert await rig.said(bob) == []


async def test_a_bursard_that_restarts_is_a_delay_and_no_error(start_bot, own, framework, desk, errors):
    async with Bursar(addresses(own), on_error=errors) as bursar:
        rig, pool, holder = await queueing(start_bot, bursar, framework, desk)
        bob = await waits(rig, bursar, pool, "bob", 1)
        restarting = asyncio.create_task(asyncio.to_thread(own.bursards[0].restart))
        cid = next(numbers)
        await rig.write(cid, "cid")
        await restarting
        await until(lambda: _in_pool(bursar, pool, 2))
        desk.let_go("hold first")
        for person, text in ((holder, "hold first"), (bob, "bob"), (cid, "cid")):
            await says(rig, person, f"answer to {text}")
        await rig.limited.close()
        assert sorted(desk.begun) == ["bob", "cid", "hold first"] and not rig.failures
        assert await accounts.in_pool(bursar, pool) == (0, 0)


async def test_a_slot_that_is_taken_over_stops_the_work_and_its_user_is_told(start_bot, bursar, framework, desk, errors):
    rig, pool, holder = await queueing(start_bot, bursar, framework, desk)
    reservation, = await accounts.held(bursar, rig.account(holder))
    interface = rig.account(holder).partition(":")[0]
    async with pool.acquire(user=rig.account(holder), request_id=reservation.request_id, interface=interface) as other:
        async for _ in other:
            break
        await says(rig, holder, "something went wrong")
    assert desk.ended == ["hold first"] and not rig.failures
    assert [error.code for error in errors] == ["ABORTED"]
    errors.clear()


async def test_with_an_open_fail_policy_the_work_runs_without_a_server(start_bot, framework, desk, errors):
    async with Bursar("127.0.0.1:1", fail="open", fail_after_ms=300, attempt_ms=300, timeout_ms=300, on_error=lambda _: None) as nobody:
        rig = await start_bot(framework, nobody, pool="agent-execution")
        ann = next(numbers)
        await rig.write(ann, "one")
        await says(rig, ann, "answer to one")
        await rig.limited.close()
