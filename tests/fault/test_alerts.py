"""Every event reaches whoever is to hear of it, once found: eight processes with all roles are killed at fifty points while users cross
thresholds and a webhook's server fails now and then. BURSAR_SEED plays a run again."""
import collections
import contextlib
import http.server
import itertools
import json
import os
import random
import threading

import grpc
import pytest

from accountant.run import seed
from bots import Bots
from harness import Bursard, Postgres, Redis, protos, until
from harness.bursard import stop_all

pb, types = protos.alerts_pb2, protos.types_pb2
TENANT, RULE = "fleet", "crossed"
PROCESSES, KILLS, KILLS_WHILE_SENDING, USERS = 8, 50, 20, 120
LIMIT, STEPS = 1_000_000, (500_000, 300_000, 200_000)  # tokens: each step passes a threshold
PATIENCE = 120


class Hook(http.server.ThreadingHTTPServer):
    """Takes webhooks, but not always: some are refused, some get no answer. `strike` is called with the port of a request that it holds,
    as often as is wanted."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, dice):
        self.lock, self.dice, self.flapping = threading.Lock(), dice, True
        self.delivered, self.bodies = collections.defaultdict(set), collections.defaultdict(set)
        self.wanted, self.struck, self.strike = 0, 0, None
        super().__init__(("127.0.0.1", 0), Taker)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"

    def want(self):
        """One of the next requests is to be struck."""
        with self.lock:
            self.wanted += 1

    def calm(self):
        """From now on, all is well. Returns how many were to be struck, and were not."""
        with self.lock:
            left, self.wanted, self.flapping = self.wanted, 0, False
        return left

    def fate(self, port, path, message, events):
        """The status to answer; 0: none. Notes what the request said."""
        with self.lock:
            self.bodies[path, message].add(events)
            roll = self.dice.random() if self.flapping else 1
            held = self.wanted > 0
            self.wanted -= held
        if held:
            caught = self.strike(port)
            with self.lock:
                self.struck += caught
            return 0
        if roll < 0.3:
            return 0 if roll < 0.15 else 503
        with self.lock:
            for event in events:
                self.delivered[path, event].add(message)
        return 204


class Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        events = tuple(int(event["id"]) for event in body["data"].get("events", [body["data"]]))
        status = self.server.fate(self.client_address[1], self.path, self.headers["webhook-id"], events)
        if status:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.close_connection = True

    def log_message(self, *_):
        pass


def owner_of(port, servers):
    """The process that has this end of a connection; None when it is gone already."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        inodes = {row[9] for row in map(str.split, table.readlines()[1:]) if int(row[1].split(":")[1], 16) == port}
    for server in servers:
        folder = f"/proc/{server.pid}/fd"
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(folder):
                with contextlib.suppress(FileNotFoundError):
                    if os.readlink(f"{folder}/{name}") in {f"socket:[{inode}]" for inode in inodes}:
                        return server
    return None


class World:
    def __init__(self, number):
        self.dice = random.Random(number)
        self.hook = Hook(random.Random(number + 1))
        self.postgres, self.redis = Postgres(settings={"max_connections": 300}), Redis()
        self.database = self.postgres.database()
        first = Bursard(self.redis, self.database, **self.options())
        self.servers = [first] + [Bursard(self.redis, self.database, start=False, **self.options()) for _ in range(PROCESSES - 1)]
        for server in self.servers[1:]:
            server.start(wait=False)
        self.fleets = [Bots(protos, server.grpc_addr, TENANT) for server in self.servers]
        self.turn, self.killing = itertools.cycle(self.fleets), threading.Lock()
        self.hook.strike = self.kill_sender
        until(lambda: self.ask("SELECT alerts_live()") == [(True,)], "a process with the role alerts", timeout=PATIENCE)

    @staticmethod
    def options():
        return {"roles": "serve,ledger,http,alerts", "workers": 1, "alert_allow": "127.0.0.0/8", "alert_timeout_ms": 2000}

    def ask(self, statement, *args):
        with self.database.sql() as sql:
            sql.execute(statement, args)
            return sql.fetchall() if sql.description else []

    def call(self, call):
        """The answer of any server: calls name what they are about, so they may be repeated."""
        def one():
            try:
                return call(next(self.turn)) or True
            except grpc.RpcError as error:
                return None if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED) else error
        answer = until(one, "an answer of one of the servers", timeout=PATIENCE)
        if isinstance(answer, grpc.RpcError):
            raise answer
        return answer

    def kill(self, victim):
        with self.killing:
            victim.kill()
            victim.start(wait=False)

    def kill_sender(self, port):
        """In the middle of a delivery: the message has been read, and nobody will ever store that it was."""
        victim = owner_of(port, self.servers)
        if victim:
            self.kill(victim)
        return victim is not None

    def channel(self, name, **fields):
        self.call(lambda fleet: fleet.admin.PutAlertChannel(pb.PutAlertChannelRequest(channel=pb.AlertChannel(
            tenant=TENANT, name=name, kind=pb.ALERT_CHANNEL_KIND_WEBHOOK, target=self.hook.url(name), rate_per_minute=600, **fields)), timeout=10))

    def prepare(self):
        self.channel("each")
        self.channel("gathered", digest_us=2_000_000, ordered=True)
        self.call(lambda fleet: fleet.admin.PutAlertRule(pb.PutAlertRuleRequest(rule=pb.AlertRule(
            tenant=TENANT, name=RULE, kind=pb.ALERT_KIND_THRESHOLD, account_kinds=[types.ACCOUNT_KIND_USER], percents=[50, 80, 100])), timeout=10))
        self.call(lambda fleet: fleet.tier("pro", fleet.calendar("day", "tokens", LIMIT)))
        for number in range(USERS):
            self.call(lambda fleet, user=f"user-{number}": fleet.account(user, tier="pro"))

    def use(self, user, step):
        answer = self.call(lambda fleet: fleet.check(user, request_id=f"{user}-{step}"))
        assert answer.allowed
        self.call(lambda fleet: fleet.record(answer, input_tokens=STEPS[step]))

    def waiting(self):
        return self.ask("SELECT (SELECT count(*) FROM alert_due) + (SELECT count(*) FROM alert_notes) + (SELECT count(*) FROM alert_pending) + "
                        "(SELECT count(*) FROM alert_deliveries WHERE state = 1)")[0][0]

    def settle(self):
        """All is well again: pauses after failures are cut short, as time would end them."""
        for server in self.servers:
            server.wait_ready(PATIENCE)
        until(lambda: self.ask("SELECT (SELECT count(*) FROM alert_fired WHERE tenant = %s AND account_kind = 1 AND rule = %s)", TENANT, RULE)
              [0][0] == USERS * len(STEPS), "each threshold of each user having fired", timeout=PATIENCE)

        def nothing_waits():
            self.ask("UPDATE alert_channels SET open_until = '-infinity'")
            self.ask("UPDATE alert_deliveries SET next_at = least(next_at, now()) WHERE state = 1")
            return self.waiting() == 0
        until(nothing_waits, "every event being delivered", timeout=PATIENCE)

    def close(self):
        for fleet in self.fleets:
            fleet.close()
        stop_all(self.servers, self.redis, self.postgres)
        self.hook.shutdown()
        self.hook.server_close()


@pytest.fixture
def world():
    with contextlib.closing(World(seed())) as world:
        yield world


def crossing_with_kills(world):
    """Users pass their thresholds one after the other, and processes are killed in between, some of them while they send."""
    uses = [(f"user-{number}", step) for step in range(len(STEPS)) for number in range(USERS)]
    points = world.dice.sample(range(len(uses)), KILLS)
    sending = set(points[:KILLS_WHILE_SENDING])
    for number, (user, step) in enumerate(uses):
        world.use(user, step)
        if number in sending:
            world.hook.want()
        elif number in points:
            world.kill(world.dice.choice(world.servers))
    for _ in range(world.hook.calm()):
        world.kill(world.dice.choice(world.servers))


@pytest.mark.patience(900)
def test_every_event_is_delivered_whoever_is_killed(world):
    world.prepare()
    crossing_with_kills(world)
    world.settle()

    events = world.ask("SELECT id, account, percent FROM alert_events WHERE tenant = %s AND rule = %s", TENANT, RULE)
    assert {account for _, account, percent in events if percent == 100} == {f"user-{number}" for number in range(USERS)}
    assert world.ask("SELECT rule, account, window_start_us, threshold, count(*) FROM alert_events WHERE tenant = %s "
                     "GROUP BY 1, 2, 3, 4 HAVING count(*) > 1", TENANT) == [], "an event was found twice"
    for path in ("/each", "/gathered"):
        missing = {event for event, _, _ in events} - {event for at, event in world.hook.delivered if at == path}
        assert not missing, f"events {sorted(missing)} never arrived at {path}"
    doubled = {key: messages for key, messages in world.hook.delivered.items() if len(messages) > 1}
    assert not doubled, f"events came under several webhook-ids: {doubled}"
    changed = {key: bodies for key, bodies in world.hook.bodies.items() if len(bodies) > 1}
    assert not changed, f"messages changed between attempts: {changed}"
    assert world.ask("SELECT state, count(*) FROM alert_deliveries WHERE state <> 2 GROUP BY 1") == []
    print(f"\nalerts: {len(events)} events, {len(world.hook.bodies)} messages, {world.hook.struck} killed while sending")
    assert world.hook.struck, "no process was killed while it was sending"
