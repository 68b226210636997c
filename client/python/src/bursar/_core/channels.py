"""A channel to each address. One whose server does not answer is left out, and looked for in the background.

gRPC's own back-off is not used: after an outage of a minute a channel may need half a minute to notice that its server is
back. In its place a fresh channel is made for every look.
"""
from __future__ import annotations

import asyncio
import pathlib
import random
from collections.abc import Coroutine
from typing import Any

import grpc

from bursar._core.options import Options, Tls
from bursar.errors import invalid

FIRST_LOOK_S, LONGEST_LOOK_S, CONNECT_S = 0.05, 0.5, 5.0
# We make our own attempts; a proxy from the environment cannot reach a server on loopback; the holder of a lease must notice a
# silent server well before the lease ends.
_ARGUMENTS: list[tuple[str, Any]] = [
    ("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0), ("grpc.enable_channelz", 0),
    ("grpc.service_config_disable_resolution", 1), ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 5000), ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 10_000), ("grpc.keepalive_timeout_ms", 5_000), ("grpc.http2.max_pings_without_data", 0),
]


def credentials(tls: Tls | None) -> grpc.ChannelCredentials | None:
    if tls is None:
        return None
    read = {}
    for name, path in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
        try:
            read[name] = None if path in ("", "system") else pathlib.Path(path).read_bytes()
        except OSError as error:
            raise invalid(f"tls.{name}", f"cannot be read: {error}") from None
    return grpc.ssl_channel_credentials(read["ca"], read["key"], read["cert"])


class Line:
    """A channel, and how many calls are on it: it is closed when the last has ended."""

    def __init__(self, address: str, secure: grpc.ChannelCredentials | None) -> None:
        self.address = address
        self.channel = (grpc.aio.secure_channel(address, secure, options=_ARGUMENTS) if secure
                        else grpc.aio.insecure_channel(address, options=_ARGUMENTS))
        self.methods: dict[str, Any] = {}
        self.calls = 0
        self.retired = False
        self.answered = False  # at least once

    def unary(self, method: str, answer: Any) -> Any:
        made = self.methods.get(method)
        if made is None:
            made = self.methods[method] = self.channel.unary_unary(
                method, request_serializer=_serialized, response_deserializer=answer.FromString)
        return made

    def stream(self, method: str, answer: Any) -> Any:
        return self.channel.unary_stream(method, request_serializer=_serialized, response_deserializer=answer.FromString)


def _serialized(message: Any) -> bytes:
    return message.SerializeToString()  # type: ignore[no-any-return]


class Channels:
    """Belongs to one loop."""

    def __init__(self, options: Options) -> None:
        self._secure = credentials(options.tls)
        self._addresses = options.addresses
        self._up: list[Line] = []
        self._next = random.randrange(len(self._addresses))  # workers of a fleet begin at different servers
        self._came_up = asyncio.Event()
        self._pauses = dict.fromkeys(self._addresses, FIRST_LOOK_S)  # before the next look
        self._tasks: set[asyncio.Task[None]] = set()
        self.closed = False
        for address in self._addresses:
            self._put(Line(address, self._secure))

    def take(self, other_than: str = "", first: bool = False) -> Line | None:
        """The next one in turn, if possible of another address; None while no server is known to be there. `first`: the same one
        each time, for calls that rely on what an earlier one has changed."""
        if not self._up:
            return None
        if first:
            self._next = len(self._up) - 1
        self._next += 1
        line = self._up[self._next % len(self._up)]
        if line.address == other_than and len(self._up) > 1:
            self._next += 1
            line = self._up[self._next % len(self._up)]
        line.calls += 1
        return line

    def give_back(self, line: Line) -> None:
        line.calls -= 1
        if line.retired and line.calls == 0:
            self._start(line.channel.close(None))

    def failed(self, line: Line) -> None:
        """No server answers there: the address is left out until one does."""
        if line.retired or self.closed:
            return
        self._up.remove(line)
        if not self._up:
            self._came_up.clear()
        if line.answered:  # one that only connects, and answers nothing, is looked for less often
            self._pauses[line.address] = FIRST_LOOK_S
        self._retire(line)
        self._start(self._look_for(line.address))

    @property
    def any_up(self) -> bool:
        return bool(self._up)

    async def some_up(self) -> None:
        """Waits until a server is there. Whoever calls bounds the wait."""
        await self._came_up.wait()

    async def close(self) -> None:
        self.closed = True
        self._came_up.set()  # whoever waits for a server waits no longer
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, *(line.channel.close(None) for line in self._up), return_exceptions=True)
        self._up.clear()

    def _put(self, line: Line) -> None:
        self._up.append(line)
        self._up.sort(key=lambda one: self._addresses.index(one.address))
        self._came_up.set()

    def _retire(self, line: Line) -> None:
        line.retired = True
        if line.calls == 0:
            self._start(line.channel.close(None))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_for(self, address: str) -> None:
        while True:
            pause = self._pauses[address]
            self._pauses[address] = min(pause * 2, LONGEST_LOOK_S)
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            line = Line(address, self._secure)
            if await _connects(line):
                self._put(line)
                return
            await line.channel.close(None)


async def _connects(line: Line) -> bool:
    """Whether a server answers there. It need not be tried again after a failure: that is what gRPC's back-off would delay."""
    async def until_known() -> bool:
        state = line.channel.get_state(try_to_connect=True)
        while state not in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE):
            await line.channel.wait_for_state_change(state)
            state = line.channel.get_state()
        return state is grpc.ChannelConnectivity.READY

    try:
        async with asyncio.timeout(CONNECT_S):
            return await until_known()
    except TimeoutError:
        return False
    except asyncio.CancelledError:
        await line.channel.close(None)
        raise
