"""Read by mypy, never run: a program that uses the package says what it means."""
from __future__ import annotations

from bursar import Bursar, Check, Denied, Queued, RecordResult, Share, Spool
from bursar.blocking import Bursar as BlockingBursar
from bursar.v1 import admin_pb2


async def position(queued: Queued) -> None:
    print(queued.position, queued.eta_ms)


async def main() -> None:
    async with Bursar(["a:1", "b:2"], fail=Share(5), spool=Spool("/var/spool/bursar"), gather=False) as bursar:
        check: Check = await bursar.check(user="ann", model="gpt-5", expected={"web_searches": 1})
        recorded: RecordResult = await bursar.record(check, provider_usage=object())
        tier: admin_pb2.Tier = await bursar.admin.get_tier(name="free")
        async with bursar.pool("gpu").slot(user="ann", on_queued=position) as slot:
            fence: int = slot.fence
            slot.usage(usage={"input_tokens": 1})
        async for event in bursar.pool().acquire(user="ann"):
            if event.type == "granted":
                print(event.lease)
        async for seen in bursar.admin.watch():
            print(seen)
        async for happened in bursar.events(kinds=["tier"], after=7):
            cursor: int = happened.cursor
            print(happened.user, happened.text, cursor)
        await bursar.check(user="ann", colour="red")  # type: ignore[call-arg]
    print(recorded.cost_nano_usd, tier.name, fence)


def threads() -> None:
    with BlockingBursar("a:1") as bursar:
        try:
            with bursar.run(user="ann") as job:
                job.usage({"prompt_tokens": 1})
        except Denied as denied:
            print(denied.check.retry_after_ms)
        print([happened.text for happened in bursar.events(user="ann")])
        limits: list[str] = [limit.name for limit in bursar.status(user="ann").limits]
        print(limits, bursar.admin.list_tiers().tiers)
