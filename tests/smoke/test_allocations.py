"""What a check allocates in steady state. On the release build: a sanitizer has an allocator of its own."""
import os
import pathlib
import struct
import subprocess

import pytest
from harness import protos

SHIM = pathlib.Path(__file__).resolve().parents[1] / "harness" / "malloc_shim.c"
CHECKS, AT_ONCE = 1000, 20


@pytest.fixture
def counted(start_bursard, tmp_path):
    """A bursard, and a function that returns how often its own code, hiredis, protobuf-c and all others have allocated so far."""
    library, counters = tmp_path / "malloc_shim.so", tmp_path / "counters"
    subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(library), str(SHIM)], check=True)
    counters.write_bytes(bytes(32))
    server = start_bursard(workers=1, roles="serve,http", env={"LD_PRELOAD": str(library), "BURSAR_TEST_MALLOC": str(counters)})
    return server, lambda: struct.unpack("4q", counters.read_bytes())


def ask(limiter, count):
    pb = protos.limiter_pb2
    for start in range(0, count, AT_ONCE):
        futures = [limiter.Check.future(pb.CheckRequest(user=f"user-{i % 50}", interface="telegram", model="gpt-4o", input_tokens=100,
                                                        max_output_tokens=50), timeout=60) for i in range(start, start + AT_ONCE)]
        assert all(future.result().quality == protos.types_pb2.QUALITY_EXACT for future in futures)


def fill(admin, accounts):
    """No limit is ever reached. Five accounts: users on a team of an org, the model and the tenant."""
    pb, types = protos.admin_pb2, protos.types_pb2
    wide = [types.Limit(dimension=dimension, kind=types.LIMIT_KIND_CALENDAR, amount=2**52, window=window)
            for dimension in (types.DIMENSION_REQUESTS, types.DIMENSION_TOKENS, types.DIMENSION_COST)
            for window in (types.CALENDAR_WINDOW_DAY, types.CALENDAR_WINDOW_MONTH)]
    admin.PutTier(pb.PutTierRequest(tier=pb.Tier(name="free", limits=wide)), timeout=60)
    if accounts == 1:
        return
    for kind, name, more in ((types.ACCOUNT_KIND_ORG, "org", {}), (types.ACCOUNT_KIND_TEAM, "team", {"org": "org"}),
                             (types.ACCOUNT_KIND_MODEL, "gpt-4o", {}), (types.ACCOUNT_KIND_TENANT, "default", {}),
                             *((types.ACCOUNT_KIND_USER, f"user-{i}", {"team": "team"}) for i in range(50))):
        request = pb.PutAccountRequest(ref=pb.AccountRef(kind=kind, id=name), tier="" if kind == types.ACCOUNT_KIND_USER else "free", **more)
        admin.PutAccount(request, timeout=60)


@pytest.mark.parametrize("accounts", [1, 5])
def test_a_check_in_steady_state_allocates_nothing_of_its_own(counted, accounts):
    server, so_far = counted
    with server.channel() as channel:
        limiter, admin = protos.limiter_pb2_grpc.LimiterStub(channel), protos.admin_pb2_grpc.AdminStub(channel)
        fill(admin, accounts)
        ask(limiter, 2 * CHECKS)
        before = so_far()
        ask(limiter, CHECKS)
        bursard, hiredis, protobuf, others = (after - old for after, old in zip(so_far(), before))
        status = limiter.GetStatus(protos.limiter_pb2.GetStatusRequest(user="user-1", model="gpt-4o"), timeout=60)
    print(f"{accounts} accounts, {CHECKS} checks: bursard {bursard}, hiredis {hiredis}, protobuf-c {protobuf}, others {others}")
    assert len(status.accounts) == accounts
    assert bursard < CHECKS / 10  # timers and threads beside the checks
    assert protobuf == 0  # it works in the call's arena
    # A callback each, and at most two for what is written, fewer if checks are written together; an answer would be two more.
    assert hiredis < 3.2 * CHECKS
