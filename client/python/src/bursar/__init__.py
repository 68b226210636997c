"""Bursar's client: asks whether a request of a user may run, queues for a slot of a pool, and records what it used.

    async with Bursar("127.0.0.1:7420") as bursar:
        async with bursar.run(user="ann", model="gpt-5") as job:
            response = await openai.chat.completions.create(...)
            job.usage(response)

`bursar.blocking` has the same for programs without asyncio.
"""
from bursar._client import Bursar
from bursar._core.ids import new_id
from bursar._core.options import Gather, Share, Spool, Tls
from bursar._core.run import Job
from bursar._version import __version__
from bursar.answers import Check, Explanation, Limit, RecordResult, Status
from bursar.errors import BursarError, Denied, LeaseLost
from bursar.events import AlertEvent, Events
from bursar.pool import Ahead, Draining, Event, Granted, Lost, Pool, Queued, Reconnecting, Slot

__all__ = [
    "Ahead", "AlertEvent", "Bursar", "BursarError", "Check", "Denied", "Draining", "Event", "Events", "Explanation", "Gather", "Granted",
    "Job", "LeaseLost", "Limit", "Lost", "Pool", "Queued", "Reconnecting", "RecordResult", "Share", "Slot", "Spool", "Status", "Tls",
    "__version__", "new_id",
]
