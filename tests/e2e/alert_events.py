"""Alert events of a test: written by SQL, with the cursors that the numbering gives them, and streams that read them."""
import json
import threading

import grpc

WAIT = 60  # s, of a test on a busy machine
RULE = "of-this-test"  # other events may happen beside those of a test
THRESHOLD, PROJECTED, ANOMALY, DENIAL, SUSPENDED, TIER, STARVING, LEDGER_LAG, DRIFT = range(1, 10)
USER, TEAM = 1, 2

def happen(database, count=1, tenant="default", kind=TIER, account_kind=USER, account="ann", rule=RULE):
    """That many events, numbered in the order of `threshold`: 1 to count."""
    database.execute(
        "INSERT INTO alert_events (seq, at, tenant, rule, kind, severity, account_kind, account, threshold, before, after) "
        "SELECT nextval('alert_seq'), now(), %s, %s, %s, 1, %s, %s, n, 'free', 'pro' FROM generate_series(1, %s) n",
        tenant, rule, kind, account_kind, account, count)


class Stream:
    """Events, read by a thread. `events` are those of the test, `cursor` is that of the last message."""

    def __init__(self, fleet, secret=None, slow=False, **fields):
        self.messages, self.events, self.code, self.error, self.cursor = 0, [], None, None, None
        self.changed, self.may_read = threading.Condition(), threading.Event()
        self.call = fleet.limiter.Events(fleet.stubs.alerts_pb2.EventsRequest(**fields),
                                         metadata=[("authorization", "Bearer " + secret)] if secret else None)
        if not slow:
            self.may_read.set()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        code, error = grpc.StatusCode.OK, None
        try:
            for message in self.call:
                with self.changed:
                    self.messages += 1
                    self.cursor = message.cursor
                    if message.HasField("event") and message.event.rule == RULE:
                        self.events.append(message.event)
                    self.changed.notify_all()
                self.may_read.wait()
        except grpc.RpcError as failure:
            code, error = failure.code(), failure
        with self.changed:
            self.code, self.error = code, error
            self.changed.notify_all()

    def wait(self, condition, what):
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.code is not None, WAIT)
            assert condition(), f"no {what} within {WAIT} s: {len(self.events)} events, {self.code} {self.error}"
        return self

    def begun(self):
        return self.wait(lambda: self.messages, "first message")

    def has(self, count):
        return self.wait(lambda: len(self.events) >= count, f"{count} events").events

    def ended(self):
        return self.wait(lambda: self.code is not None, "end").code

    def numbers(self):
        return [event.threshold for event in self.events]

    def close(self):
        self.may_read.set()
        self.call.cancel()
        self.thread.join(WAIT)


class HttpStream:
    """The same over HTTP: its lines, as they come."""

    def __init__(self, door, path, **headers):
        self.connection = door.connect()
        self.connection.request("GET", path, headers=door.headers | headers)
        self.response = self.connection.getresponse()

    def event(self):
        """The next (id, message) of server-sent events."""
        fields = {}
        while True:
            line = self.response.readline().decode().rstrip("\n")
            if not line and "data" in fields:
                return fields.get("id"), json.loads(fields["data"])
            name, _, value = line.partition(": ")
            fields[name] = value

    def line(self):
        """The next message of lines."""
        while True:
            line = self.response.readline().strip()
            if line:
                return json.loads(line)

    def close(self):
        self.connection.close()
