"""gRPC as other implementations speak it: grpc-go, grpc-js, connect-node and grpcurl. grpcio and gRPC core's C library are what all
other tests use."""
import json
import subprocess

import pytest

from bots import unique
from certificates import Authority
from harness.foreign import Foreign, go_program, node_program

LIMITER, ADMIN = "bursar.v1.Limiter", "bursar.v1.Admin"
OK, CANCELLED, INVALID, DEADLINE, NOT_FOUND, UNIMPLEMENTED, UNAUTHENTICATED = 0, 1, 3, 4, 5, 12, 16
COMMANDS = {
    "grpc-go": lambda: [go_program(".")],
    "grpc-js": lambda: [*node_program(), "grpc-js"],
    "connect-node": lambda: [*node_program(), "connect-node"],
}

pytestmark = [pytest.mark.long, pytest.mark.patience(3600)]


@pytest.fixture(params=COMMANDS)
def command(request):
    return COMMANDS[request.param]()


@pytest.fixture
def foreign(command, bursard):
    client = Foreign(command, bursard.grpc_addr)
    yield client
    client.close()


def test_a_check_is_allowed_and_recorded(foreign):
    user = unique("user")
    checked = foreign(f"{LIMITER}/Check", {"user": user, "inputTokens": "100"})
    assert checked["code"] == OK and checked["messages"][0]["allowed"], checked
    recorded = foreign(f"{LIMITER}/Record", {"reservation": {"handle": checked["messages"][0]["reservation"]}, "usage": {"inputTokens": "90"}})
    assert recorded["code"] == OK, recorded
    empty = foreign("grpc.health.v1.Health/Check")
    assert empty["messages"] == [{"status": "SERVING"}]


def test_a_denial_says_what_was_refused(foreign, bots):
    bots.admin.PutTier(bots.admin_pb.PutTierRequest(tier=bots.admin_pb.Tier(name="free", limits=[bots.calendar("rpd", "requests", 1)])))
    user = unique("user")
    assert foreign(f"{LIMITER}/Check", {"user": user})["messages"][0]["allowed"]
    denied = foreign(f"{LIMITER}/Check", {"user": user})
    assert denied["code"] == OK
    message = denied["messages"][0]
    assert "allowed" not in message and message["reason"].startswith("REASON_") and int(message["retryAfterUs"]) > 0, message
    assert {"retry-after"} <= {header["name"].lower() for header in message["headers"]}


def test_an_error_has_its_details(foreign):
    out = foreign(f"{LIMITER}/Check", {"user": "ann", "inputTokens": "-1"})
    assert out["code"] == INVALID and out["text"].startswith("input_tokens"), out
    violations = [detail for detail in out["details"] if detail["@type"].endswith("/google.rpc.BadRequest")]
    assert violations[0]["fieldViolations"][0]["field"] == "input_tokens"
    out = foreign(f"{ADMIN}/GetTier", {"name": "no-such"})
    assert out["code"] == NOT_FOUND and "no-such" in out["text"], out
    assert [detail["reason"] for detail in out["details"] if detail["@type"].endswith("/google.rpc.ErrorInfo")] == ["TIER_NOT_FOUND"]


def test_a_large_answer_arrives_whole(foreign):
    users = [unique("user") for _ in range(1000)]
    out = foreign(f"{LIMITER}/CheckBatch", {"items": [{"user": user, "requestId": user + "-" + "r" * 100, "verbose": True} for user in users]},
                  timeout=120)
    assert out["code"] == OK and len(out["messages"][0]["items"]) == 1000
    assert all(item["response"]["allowed"] for item in out["messages"][0]["items"])
    assert len(json.dumps(out)) > 200_000


def test_checks_are_streamed_in_both_directions(foreign):
    parts = [{"items": [{"id": str(100 * part + i), "check": {"user": unique("user")}} for i in range(10)]} for part in range(1, 21)]
    out = foreign(f"{LIMITER}/CheckStream", *parts)
    assert out["code"] == OK, out
    answers = [item for message in out["messages"] for item in message["items"]]
    assert sorted(int(item["id"]) for item in answers) == [int(item["id"]) for part in parts for item in part["items"]]
    assert all(item["response"]["allowed"] for item in answers)
    out = foreign(f"{LIMITER}/CheckStream", parts[0], {"items": []}, parts[1])
    assert out["code"] == INVALID and sum(len(message["items"]) for message in out["messages"]) == 10, out


@pytest.fixture
def narrow(bots):
    """A pool of one slot, and what is going on in it."""
    ref = bots.admin_pb.PoolRef(name="narrow")
    bots.admin.PutPool(bots.admin_pb.PutPoolRequest(ref=ref, slots=1))
    return lambda: bots.admin.GetPoolStats(bots.admin_pb.GetPoolStatsRequest(ref=ref), timeout=20)


def acquire(foreign, mode="LEASE_MODE_STREAM", **how):
    return foreign(f"{LIMITER}/Acquire", {"check": {"user": unique("user")}, "pool": "narrow", "mode": mode}, **how)


def test_what_a_stream_holds_is_given_back_on_cancel(foreign, narrow, until):
    for _ in range(2):
        out = acquire(foreign, take=1)
        assert out["code"] == CANCELLED and "granted" in out["messages"][0], out
        until(lambda: narrow().running == 0)
    out = acquire(foreign, mode="LEASE_MODE_EXPLICIT")  # this stream ends by itself
    assert out["code"] == OK and "granted" in out["messages"][-1], out
    assert narrow().running == 1


def test_a_deadline_ends_a_stream(foreign, narrow, until):
    out = acquire(foreign, timeout=3)
    assert out["code"] == DEADLINE and "granted" in out["messages"][0], out
    until(lambda: narrow().running == 0)


def test_keys_are_shown_as_metadata(foreign, bots):
    key = bots.admin.CreateKey(bots.admin_pb.CreateKeyRequest(role=5))
    assert foreign(f"{LIMITER}/Check", {"user": "ann"})["code"] == UNAUTHENTICATED
    assert foreign(f"{LIMITER}/Check", {"user": "ann"}, authorization="Bearer bsk_wrong")["code"] == UNAUTHENTICATED
    assert foreign(f"{LIMITER}/Check", {"user": "ann"}, authorization="Bearer " + key.secret)["code"] == OK
    # A binary header and a long one are nothing to us, and do no harm.
    out = foreign(f"{LIMITER}/Check", {"user": "ann"}, **{"authorization": "Bearer " + key.secret, "x-long": "a" * 4000})
    assert out["code"] == OK


def test_calls_go_on_after_a_restart(foreign, bursard, until):
    assert foreign(f"{LIMITER}/Check", {"user": "ann"})["code"] == OK
    bursard.stop()
    bursard.start()
    until(lambda: foreign(f"{LIMITER}/Check", {"user": "ann"}, timeout=20)["code"] == OK)


def test_tls_is_spoken(command, start_bursard, tmp_path):
    authority = Authority(tmp_path, "authority")
    cert, key = authority.issue("bursard")
    server = start_bursard(tls_cert=cert, tls_key=key)
    client = Foreign(command, server.grpc_addr, ca=authority.cert)
    assert client(f"{LIMITER}/Check", {"user": "ann"})["messages"][0]["allowed"]
    client.close()


# ---- grpcurl


def grpcurl(*args, stdin=None):
    return subprocess.run([str(go_program("github.com/fullstorydev/grpcurl/cmd/grpcurl")), *map(str, args)], capture_output=True, text=True,
                          input=stdin, timeout=120, check=False)


def test_grpcurl_finds_and_calls_what_is_served(bursard, tmp_path):
    listed = grpcurl("-plaintext", bursard.grpc_addr, "list")
    assert {LIMITER, ADMIN, "grpc.health.v1.Health"} <= set(listed.stdout.split()), listed.stderr
    described = grpcurl("-plaintext", bursard.grpc_addr, "describe", f"{LIMITER}.Check")
    assert "rpc Check ( .bursar.v1.CheckRequest )" in described.stdout, described.stderr
    checked = grpcurl("-plaintext", "-d", '{"user": "ann"}', bursard.grpc_addr, f"{LIMITER}/Check")
    assert json.loads(checked.stdout)["allowed"], checked.stderr
    refused = grpcurl("-plaintext", "-d", '{"user": "ann", "input_tokens": -1}', bursard.grpc_addr, f"{LIMITER}/Check")
    assert refused.returncode == 64 + INVALID and '"field": "input_tokens"' in refused.stderr, refused.stderr
    (tmp_path / "newer.proto").write_text('syntax = "proto3"; package bursar.v1; message M {} service Limiter { rpc Newer(M) returns (M); }')
    newer = grpcurl("-plaintext", "-import-path", tmp_path, "-proto", "newer.proto", bursard.grpc_addr, f"{LIMITER}/Newer")
    assert newer.returncode == 64 + UNIMPLEMENTED, newer.stderr


def test_grpcurl_speaks_tls_with_a_certificate_of_its_own(start_bursard, tmp_path):
    authority, callers = Authority(tmp_path, "authority"), Authority(tmp_path, "callers")
    cert, key = authority.issue("bursard")
    server = start_bursard(tls_cert=cert, tls_key=key, tls_client_ca=callers.cert, tls_client_certs="required")
    own = callers.issue("ops.example")
    words = ("-cacert", authority.cert, "-d", '{"user": "ann"}')
    checked = grpcurl(*words, "-cert", own[0], "-key", own[1], server.grpc_addr, f"{LIMITER}/Check")
    assert json.loads(checked.stdout)["allowed"], checked.stderr
    assert grpcurl(*words, "-connect-timeout", "5", server.grpc_addr, f"{LIMITER}/Check").returncode == 1
