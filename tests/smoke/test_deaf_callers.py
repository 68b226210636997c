"""Callers that never take an answer: what they may hold of memory is what docs/security.md says. On the release build: a sanitizer
takes memory of its own."""
import re

import pytest
from harness import protos, until  # protos makes grpc.reflection importable
from grpc.reflection.v1 import reflection_pb2
from harness.http2 import Deaf

MIB = 1 << 20
CONNECTIONS, STREAMS, MAX_CALLS = 10, 150, 1000
FORMULA = (64 + 64 + MAX_CALLS * 32 / 1024 + 64 + 63 + 4 + 32) * MIB  # of one worker and messages of 1 MiB
WAITING = 32 * MIB  # answers of CheckStream behind one that is not taken
OTHERS = STREAMS * (32 + 192) / 1024 * MIB  # where an answer has at most 192 KiB: the answer, and nothing of what it was made of
USERS = 2500
LIMITER, ADMIN = "/bursar.v1.Limiter/", "/bursar.v1.Admin/"


def check(number=0, **fields):
    return protos.limiter_pb2.CheckRequest(user=f"user-{number}", model="gpt-4o", input_tokens=1, max_output_tokens=1, **fields)


def tenant():
    return protos.admin_pb2.AccountRef(kind=protos.types_pb2.ACCOUNT_KIND_TENANT)


def requests():
    """Path and message, of each stream and of the unary calls with large answers."""
    limiter, admin = protos.limiter_pb2, protos.admin_pb2
    change = admin.AccountChange(action=admin.ACCOUNT_ACTION_SET_TIER, tier="pro")
    return {
        LIMITER + "CheckBatch": limiter.CheckBatchRequest(items=[check(number, verbose=True) for number in range(1000)]),
        LIMITER + "CheckStream": limiter.CheckStreamRequest(items=[limiter.StreamedCheck(id=number, check=check(number, verbose=True)) for number in range(1000)]),
        LIMITER + "Acquire": limiter.AcquireRequest(check=check()),
        ADMIN + "GetReport": admin.GetReportRequest(ref=tenant(), by=[admin.REPORT_KEY_USER]),
        ADMIN + "ChangeAccounts": admin.ChangeAccountsRequest(filter=admin.AccountFilter(), dry_run=True, examples=100, change=change),
        ADMIN + "ListAccounts": admin.ListAccountsRequest(page_size=1000),
        ADMIN + "WatchPool": admin.GetPoolStatsRequest(rows=100),
        ADMIN + "Watch": admin.WatchRequest(max_events=500, interval_us=100_000),
        "/grpc.health.v1.Health/Watch": None,
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": reflection_pb2.ServerReflectionRequest(file_by_filename="x" * 90_000),
    }


def rss(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024


def fill(postgres):
    postgres.execute("INSERT INTO usage_daily SELECT 'default', 'u' || lpad(i::text, 6, '0'), (now() AT TIME ZONE 'UTC')::date, 'web', 'p', 'm', "
                     "1, 1, 1, 1, i, 1, 1, 1, 1, 1, 1, 1, 0 FROM generate_series(1, %s) i", USERS)
    postgres.execute("INSERT INTO accounts (tenant, kind, id, tier) SELECT 'default', 1, 'a' || i, 'free' FROM generate_series(1, %s) i", USERS)


def growth(server, limiter, path, bytes_sent, mute, deaf):
    """By how much so many more callers who do not read make the server grow, until nothing more is done; meanwhile another is served."""
    before = most = rss(server)
    deaf += [Deaf(server.grpc_addr, path, [bytes_sent] * (STREAMS // CONNECTIONS), mute) for _ in range(CONNECTIONS)]
    calls = [0, 0]

    def settled():
        nonlocal most
        limiter.GetStatus(protos.limiter_pb2.GetStatusRequest(user="ann"), timeout=60)
        most = max(most, rss(server))
        calls.append(most)
        return not any(one.left for one in deaf) and len(calls) > 15 and calls[-15] == most

    until(settled, "memory to stay as it is", timeout=120, alive=server)
    return most - before


@pytest.mark.parametrize("path, mute", [*((path, False) for path in requests()), (LIMITER + "CheckBatch", True), (ADMIN + "GetReport", True)])
def test_callers_who_never_read_hold_no_more_than_the_formula_and_others_are_served(start_bursard, postgres, path, mute):
    """Where the loop is slow, what many answers are made of is there at once for a moment, and the heap keeps its size: then more callers
    must not make it larger."""
    fill(postgres)
    server = start_bursard(workers=1, max_calls=MAX_CALLS, answer_timeout_ms=0)
    message = requests()[path]
    bytes_sent, deaf = message.SerializeToString() if message is not None else b"", []
    bound = {LIMITER + "CheckBatch": FORMULA, LIMITER + "CheckStream": FORMULA + WAITING}.get(path, OTHERS)
    with server.channel() as channel:
        limiter = protos.limiter_pb2_grpc.LimiterStub(channel)
        assert limiter.Check(check(), timeout=60).allowed
        grown = growth(server, limiter, path, bytes_sent, mute, deaf)
        if bound <= grown < 3 * bound:
            grown = growth(server, limiter, path, bytes_sent, mute, deaf)
        for one in deaf:
            one.close()
        assert grown < bound, f"{grown / MIB:.0f} MiB of {bound / MIB:.0f}"
        assert limiter.GetStatus(protos.limiter_pb2.GetStatusRequest(user="ann"), timeout=60).accounts


def test_what_would_give_reservations_back_counts_as_a_part_of_the_answer(start_bursard):
    """Answers of some 30 MiB in all hold what gives 200,000 reservations back, which together is above the 64 MiB."""
    types, admin = protos.types_pb2, protos.admin_pb2
    server = start_bursard(workers=1, max_calls=MAX_CALLS, answer_timeout_ms=0)
    wide = types.Limit(name="wide", dimension=types.DIMENSION_REQUESTS, kind=types.LIMIT_KIND_BUCKET, amount=10**9, period_us=60_000_000)
    with server.channel() as channel:
        protos.admin_pb2_grpc.AdminStub(channel).PutTier(
            admin.PutTierRequest(tier=admin.Tier(tenant="default", name="free", limits=[wide])), timeout=60)
        batch = protos.limiter_pb2.CheckBatchRequest(
            items=[protos.limiter_pb2.CheckRequest(user=f"user-{number}", input_tokens=1, max_output_tokens=1) for number in range(1000)])
        answer = protos.limiter_pb2_grpc.LimiterStub(channel).CheckBatch(batch, timeout=60)
        assert all(item.response.allowed for item in answer.items) and 200 * answer.ByteSize() < 48 * MIB
        deaf = [Deaf(server.grpc_addr, LIMITER + "CheckBatch", [batch.SerializeToString()] * 25) for _ in range(8)]
        until(lambda: server.metric("answers_dropped_total", why="room") > 0, "an answer to go", timeout=120, alive=server)
        for one in deaf:
            one.close()
        # A stop in the middle of it waits only so long, and 200,000 reservations take a busy Redis longer.
        until(lambda: server.metric("grpc_calls_open") == 0, "all reservations to be given back", timeout=240, alive=server)
