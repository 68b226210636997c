"""Kill -9 of anything under load: what was acknowledged is in the ledger, once, and the counters equal it.

The load keeps its own books outside Bursar. A call that fails is repeated with the same id until it is acknowledged, as
a bot's client library does. At seeded points, counted in acknowledgements and not in seconds, one victim is killed and
started again.
"""
import os
import random
import threading

import grpc

from bots import unique

POINTS = int(os.environ.get("BURSAR_FAULT_POINTS", "100"))
SEED = int(os.environ.get("BURSAR_SEED", "7"))
USERS = 20
THREADS = 8


class Books:
    """What the load was told, and an event for every acknowledgement."""

    def __init__(self):
        self.lock = threading.Condition()
        self.records = {}  # (user, request_id) -> tokens
        self.acknowledged = 0
        self.stopped = False

    def acknowledge(self, user, request_id, tokens):
        with self.lock:
            assert (user, request_id) not in self.records
            self.records[user, request_id] = tokens
            self.acknowledged += 1
            self.lock.notify_all()

    def wait_for(self, more, seconds=60):
        with self.lock:
            goal = self.acknowledged + more
            assert self.lock.wait_for(lambda: self.acknowledged >= goal, seconds), "the load stands still"

    def stop(self):
        with self.lock:
            self.stopped = True


def until_acknowledged(books, call):
    """Repeats a call until it is answered; None when the load was stopped before."""
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
                                    grpc.StatusCode.CANCELLED), error


def load(bots, books, users, number):
    dice, count = random.Random(SEED * 1000 + number), 0
    while not books.stopped:
        user, request_id = dice.choice(users), f"{number}-{count}"
        count += 1
        reserved = dice.randrange(1, 100)
        answer = until_acknowledged(books, lambda: bots.check(user, request_id=request_id, input_tokens=reserved,
                                                              max_output_tokens=1, timeout=2))
        assert answer.allowed, answer
        tokens = dice.randrange(1, 150)
        until_acknowledged(books, lambda: bots.record(answer, input_tokens=tokens, timeout=2))
        books.acknowledge(user, request_id, tokens)


def kill_at_points(stack, books, victims, points):
    dice = random.Random(SEED)
    for _ in range(points):
        books.wait_for(dice.randrange(5, 200))
        dice.choice(victims)()


def run_load(stack, bots, victims, points):
    users = [bots.user_with(bots.calendar("tokens", "tokens", 10**9, "MONTH"),
                            bots.calendar("requests", "requests", 10**9, "MONTH")) for _ in range(USERS)]
    books = Books()
    threads = [threading.Thread(target=load, args=(bots, books, users, n), daemon=True) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    kill_at_points(stack, books, victims, points)
    books.wait_for(50)
    books.stop()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    bots.drained(60)
    return users, books


def assert_books_agree(stack, bots, users, books):
    with stack.sql() as sql:
        sql.execute('SELECT user_id, request_id, sum(charged_input + charged_output), sum(requests), count(*) FROM ledger '
                    'WHERE user_id = ANY(%s) GROUP BY 1, 2', (users,))
        rows = {(user, request): (tokens, requests, count) for user, request, tokens, requests, count in sql.fetchall()}
    assert set(rows) == set(books.records), (
        f"missing {set(books.records) - set(rows)}, never acknowledged {set(rows) - set(books.records)}")
    wrong = {key: row for key, row in rows.items() if row != (books.records[key], 1, 1)}
    assert not wrong, wrong
    for user in users:
        mine = [tokens for (name, _), tokens in books.records.items() if name == user]
        assert bots.used(user, "requests") == len(mine)
        assert bots.used(user, "tokens") == sum(mine)


def test_kill_9_of_anything_loses_and_doubles_nothing(durable_stack):
    stack = durable_stack
    bots = stack.bots(unique("tenant"))
    victims = [stack.kill_server, stack.kill_writer, stack.kill_redis, stack.kill_postgres]
    users, books = run_load(stack, bots, victims, POINTS)
    assert_books_agree(stack, bots, users, books)


def test_checks_and_records_go_on_without_postgresql_and_the_outbox_waits(durable_stack):
    stack = durable_stack
    bots = stack.bots(unique("tenant"))
    user = bots.user_with(bots.calendar("tokens", "tokens", 10**6))
    assert bots.check(user).allowed
    stack.postgres.kill()
    for _ in range(200):
        bots.record(bots.check(user), input_tokens=2)
    stack.postgres.start()
    bots.drained(60)
    with stack.sql() as sql:
        sql.execute('SELECT count(*), sum(charged_input) FROM ledger WHERE user_id = %s', (user,))
        assert sql.fetchone() == (200, 400)


def test_a_record_is_never_acknowledged_while_redis_is_away(durable_stack):
    stack = durable_stack
    bots = stack.bots(unique("tenant"))
    user = bots.user_with(bots.calendar("tokens", "tokens", 10**6))
    answer = bots.check(user)
    stack.redis_server.kill()
    try:
        bots.record(answer, input_tokens=2, timeout=2)
        raise AssertionError("acknowledged")
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    finally:
        stack.redis_server.start()
    until_acknowledged(None, lambda: bots.record(answer, input_tokens=2, timeout=2))
    assert bots.used(user, "tokens") == 2
