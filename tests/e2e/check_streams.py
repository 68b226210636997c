"""A caller of CheckStream, as the tests see it."""
import queue

import grpc

WAIT = 120  # s, of a test on a busy machine


class Stream:
    """One stream. What is sent goes at once; what is answered is read when a test asks for it."""

    def __init__(self, bots, secret=None, metadata=(), timeout=WAIT):
        self.bots, self.pb, self.left, self.error = bots, bots.limiter_pb, queue.SimpleQueue(), None
        headers = [*metadata, *([("authorization", "Bearer " + secret)] if secret else [])]
        self.call = bots.limiter.CheckStream(iter(self.left.get, None), timeout=timeout, metadata=headers)

    def item(self, number, user, timeout_us=0, traceparent="", **check):
        return self.pb.StreamedCheck(id=number, timeout_us=timeout_us, traceparent=traceparent, check=self.bots.request(user, **check))

    def send(self, *items):
        """One message."""
        self.left.put(self.pb.CheckStreamRequest(items=items))

    def close(self):
        self.left.put(None)

    def next(self):
        """The answers of the next message; None: the stream has ended, well or with `error`."""
        try:
            return list(next(self.call).items)
        except StopIteration:
            return None
        except grpc.RpcError as error:
            self.error = error
            return None

    def answers(self, count):
        """{id: answer} of so many."""
        found = {}
        while len(found) < count:
            more = self.next()
            assert more is not None, self.error or f"ended after {len(found)} of {count}"
            for answer in more:
                assert answer.id not in found, answer.id
                found[answer.id] = answer
        assert len(found) == count
        return found

    def ask(self, user, **check):
        """One check, alone."""
        self.send(self.item(1, user, **check))
        return self.answers(1)[1]

    def rest(self):
        """{id: answer} of all that come until the end."""
        found = {}
        for more in iter(self.next, None):
            found.update({answer.id: answer for answer in more})
        return found

    def code(self):
        return self.error.code() if self.error else grpc.StatusCode.OK
