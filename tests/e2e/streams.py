"""Callers of the pool: a stream of Acquire, read by a thread, with words for what is waited for."""
import threading
import time

import grpc
from harness import protos  # noqa: F401  (makes google.rpc importable)
from google.rpc import error_details_pb2
from google.rpc import status_pb2

WAIT = 60  # s, of a test on a busy machine


class Caller:
    """One Acquire. Messages are kept with the time of their coming; `code` is the status once it has ended."""

    def __init__(self, bots, user, pool="", seats=0, max_wait_us=0, mode=0, poll=False, timeout=None, secret=None, **check):
        self.bots, self.messages, self.times, self.code, self.error = bots, [], [], None, None
        self.user = user
        self.changed = threading.Condition()
        self.call = bots.limiter.Acquire(
            bots.limiter_pb.AcquireRequest(check=bots.request(user, **check), pool=pool, seats=seats, max_wait_us=max_wait_us,
                                           mode=mode, poll=poll),
            timeout=timeout, metadata=[("authorization", "Bearer " + secret)] if secret else None)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        code, error = grpc.StatusCode.OK, None
        try:
            for message in self.call:
                with self.changed:
                    self.messages.append(message)
                    self.times.append(time.monotonic())
                    self.changed.notify_all()
        except grpc.RpcError as failure:
            code, error = failure.code(), failure
        with self.changed:
            self.code, self.error = code, error
            self.changed.notify_all()

    def _wait(self, condition, what):
        with self.changed:
            self.changed.wait_for(condition, WAIT)
            assert condition(), f"{self.user}: no {what} within {WAIT} s: {self.events()}, {self.code} {self.error}"

    def events(self):
        return [message.WhichOneof("event") for message in self.messages]

    def of(self, event):
        return [getattr(message, event) for message in self.messages if message.WhichOneof("event") == event]

    def wait(self, event, count=1):
        """The count-th message of that event."""
        self._wait(lambda: len(self.of(event)) >= count or self.code is not None, event)
        assert len(self.of(event)) >= count, f"{self.user}: ended without {event}: {self.events()}, {self.code} {self.error}"
        return self.of(event)[count - 1]

    def queued(self):
        return self.wait("queued")

    def granted(self):
        return self.wait("granted")

    def ended(self):
        self._wait(lambda: self.code is not None, "end")
        return self.code

    @property
    def check(self):
        self._wait(lambda: self.messages or self.code is not None, "first message")
        return self.messages[0].check

    def close(self):
        self.call.cancel()
        self.thread.join(WAIT)
        return self

    # -- of an error
    def details(self):
        status = status_pb2.Status()
        status.ParseFromString(dict(self.error.trailing_metadata())["grpc-status-details-bin"])
        return status.details

    def detail(self, kind):
        for packed in self.details():
            found = getattr(error_details_pb2, kind)()
            if packed.Unpack(found):
                return found
        return None


def holds(caller):
    """A caller that has a slot."""
    caller.granted()
    return caller


def waits(caller):
    """A caller whom the queue has taken in."""
    caller.queued()
    return caller
