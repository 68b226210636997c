"""What reads and writes gRPC (bursard --carrier): what calls see is the same on both, and hostile callers meet the same bounds."""
import os
import signal
import socket
import struct
import threading

import grpc
import pytest

from bots import Bots
from harness import protos, until
from harness.http2 import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PING, PRIORITY, RST_STREAM,
                           SETTINGS, WINDOW_UPDATE, Raw, frame, headers, literal, message)
from harness.ports import free_port
from google.rpc import error_details_pb2, status_pb2
from test_start import run

Code = grpc.StatusCode
CHECK, GET_TIER, WATCH_POOL = "/bursar.v1.Limiter/Check", "/bursar.v1.Admin/GetTier", "/bursar.v1.Admin/WatchPool"
BOTH = pytest.mark.parametrize("carrier", ["core", "nghttp2"])
EXHAUSTED, UNIMPLEMENTED, PROTOCOL_ERROR, REFUSED, CALM = "8", "12", 1, 7, 11
SHARED = {"BURSAR_REUSE_PORT": "true"}


def check(user="ann", **fields):
    return protos.limiter_pb2.CheckRequest(user=user, **fields)


@pytest.fixture
def raw():
    """raw(address, ...): a connection by hand."""
    opened = []

    def connect_raw(address, **options):
        opened.append(Raw(getattr(address, "grpc_addr", address), **options))
        return opened[-1]

    yield connect_raw
    for one in opened:
        one.close()


@pytest.fixture
def fleet():
    """fleet(server or address): bots, with a connection of their own."""
    opened = []

    def make(address):
        opened.append(Bots(protos, getattr(address, "grpc_addr", address)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def error_of(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, timeout=60, **options)
    return caught.value


def rss(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) << 10


# -- what calls see

@BOTH
def test_a_call_is_answered_and_an_error_has_text_and_details(start_bursard, fleet, carrier):
    bots = fleet(start_bursard(carrier=carrier))
    assert bots.check("ann").allowed
    nobody = bots.admin_pb.AccountRef(kind=bots.types.ACCOUNT_KIND_USER, id="größe 100%")
    error = error_of(bots.admin.DeleteAccount, bots.admin_pb.DeleteAccountRequest(ref=nobody))
    assert error.code() == Code.NOT_FOUND and "größe 100%" in error.details()
    error = error_of(bots.limiter.Check, check(user=""))
    assert error.code() == Code.INVALID_ARGUMENT and error.details().startswith("user: ")
    details = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    bad = error_details_pb2.BadRequest()
    assert details.message == error.details() and details.details[0].Unpack(bad) and bad.field_violations[0].field == "user"
    error = error_of(bots.channel.unary_unary("/bursar.v1.Limiter/Nothing"), b"")
    assert error.code() == Code.UNIMPLEMENTED and error.details() == "unknown method /bursar.v1.Limiter/Nothing"


@BOTH
def test_messages_and_metadata_have_bounds(start_bursard, fleet, carrier):
    server = start_bursard(carrier=carrier, max_message_bytes=2000)
    bots = fleet(server)
    assert bots.limiter.Check(check(), metadata=[("x-note", "x" * 4000)], timeout=60).allowed
    # On a connection of its own: gRPC core may close it.
    assert error_of(fleet(server).limiter.Check, check(), metadata=[("x-note", "x" * 20_000)]).code() == Code.RESOURCE_EXHAUSTED
    assert error_of(bots.limiter.Check, check(request_id="x" * 2000)).code() == Code.RESOURCE_EXHAUSTED
    assert bots.check("ann").allowed


@BOTH
def test_a_message_may_begin_and_end_anywhere_in_the_frames(start_bursard, raw, carrier):
    caller = raw(start_bursard(carrier=carrier))
    body = message(check())
    caller.call(1, CHECK, end=False)
    for at in range(len(body)):
        caller.send(DATA, 0, 1, body[at:at + 1])
    caller.send(DATA, END_STREAM, 1)
    assert caller.end_of(1)["grpc-status"] == "0" and caller.frames(DATA, 1)


REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
LIST_SERVICES = b"\x3a\x01x"


@BOTH
def test_many_messages_of_a_stream_in_one_frame_are_each_answered(start_bursard, raw, carrier):
    caller = raw(start_bursard(carrier=carrier))
    caller.call(1, REFLECTION, message(LIST_SERVICES) * 100)
    assert caller.end_of(1)["grpc-status"] == "0"
    answers = b"".join(caller.frames(DATA, 1))
    one = answers[:5 + struct.unpack(">I", answers[1:5])[0]]
    assert answers == one * 100


def test_a_message_behind_another_is_looked_at_as_well(start_bursard, raw):
    """gRPC core ends the stream as if there were no more."""
    caller = raw(start_bursard(carrier="nghttp2", max_message_bytes=1024))
    bad = [message(b"x" * 2000), b"\0\xff\xff\xff\xff", message(LIST_SERVICES, compressed=1)]
    for stream, second in zip((1, 3, 5), bad):
        caller.call(stream, REFLECTION, message(LIST_SERVICES) + second)
        ended = caller.end_of(stream)
        assert isinstance(ended, int) or ended["grpc-status"] in (EXHAUSTED, UNIMPLEMENTED), (stream, ended)


@BOTH
@pytest.mark.parametrize("body", [b"", b"\0\0\0", message(check())[:-1]])
def test_a_message_that_is_cut_short_is_invalid(start_bursard, raw, carrier, body):
    caller = raw(start_bursard(carrier=carrier))
    caller.call(1, CHECK, body)
    assert caller.end_of(1)["grpc-status"] != "0"
    caller.call(3, CHECK, message(check()))
    assert caller.end_of(3)["grpc-status"] == "0"


@BOTH
def test_an_answer_goes_out_as_the_windows_allow(start_bursard, raw, carrier):
    caller = raw(start_bursard(carrier=carrier), settings=[(INITIAL_WINDOW_SIZE, 0)])
    caller.call(1, CHECK, message(check(verbose=True)))
    caller.until(lambda: caller.frames(HEADERS, 1))
    for sent in range(1, 30):
        caller.send(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1))
        caller.until(lambda: len(b"".join(caller.frames(DATA, 1))) >= sent)
        assert len(b"".join(caller.frames(DATA, 1))) == sent
    caller.send(WINDOW_UPDATE, 0, 1, struct.pack(">I", 60_000))
    assert caller.end_of(1)["grpc-status"] == "0"
    answer = b"".join(caller.frames(DATA, 1))
    assert protos.limiter_pb2.CheckResponse.FromString(answer[5:]).allowed and len(answer) == 5 + struct.unpack(">I", answer[1:5])[0]


@BOTH
def test_compressed_messages_are_not_served_and_identity_is_offered(start_bursard, raw, carrier):
    caller = raw(start_bursard(carrier=carrier))
    caller.call(1, CHECK, message(check(), compressed=1), block=headers(CHECK, grpc_encoding="gzip"))
    assert caller.end_of(1)["grpc-status"] == UNIMPLEMENTED
    if carrier == "nghttp2":  # gRPC core says it only in front of an answer
        assert caller.end_of(1)["grpc-accept-encoding"] == "identity"
    caller.call(3, CHECK, message(check()), block=headers(CHECK, grpc_encoding="identity"))
    assert caller.end_of(3)["grpc-status"] == "0"


def test_what_is_not_grpc_is_told_so(start_bursard, raw):
    """gRPC core resets the streams, or answers them with a status."""
    caller = raw(start_bursard(carrier="nghttp2"))
    caller.call(1, CHECK, message(check()), block=headers(CHECK, content_type="application/grpc-web"))
    assert caller.until(lambda: caller.frames(HEADERS, 1))[0][":status"] == "415"
    caller.call(3, "/", block=headers("/", method="GET", content_type=None, te=None))
    caller.until(lambda: caller.frames(DATA, 3))
    assert caller.frames(HEADERS, 3)[0][":status"] == "405" and b"gRPC" in caller.frames(DATA, 3)[0]
    caller.call(5, CHECK, message(check()), block=headers(CHECK, te=None))
    assert caller.end_of(5)["grpc-status"] == "3" and "te" in caller.end_of(5)["grpc-message"]
    caller.call(7, CHECK, message(check()), block=headers(CHECK, grpc_timeout="soon"))
    assert caller.end_of(7)["grpc-status"] == "3"
    caller.call(9, CHECK, message(check()), block=headers(CHECK, content_type="application/grpc+proto", grpc_timeout="30S"))
    assert caller.end_of(9)["grpc-status"] == "0"


@BOTH
def test_a_deadline_and_a_cancel_end_a_stream_and_give_back_what_it_held(start_bursard, fleet, carrier):
    server = start_bursard(carrier=carrier, max_concurrent_agents=1)
    bots = fleet(server)
    pb = bots.limiter_pb

    def waiting():
        return bots.admin.GetPoolStats(bots.admin_pb.GetPoolStatsRequest(), timeout=60).waiting

    def granted(call):
        return any(update.HasField("granted") for update in call)

    holder = bots.limiter.Acquire(pb.AcquireRequest(check=bots.request("ann")))
    assert granted(holder)
    leaving = bots.limiter.Acquire(pb.AcquireRequest(check=bots.request("eve")))
    until(lambda: waiting() == 1, "a place in the queue", timeout=60)
    leaving.cancel()
    until(lambda: waiting() == 0, "it to be given up", timeout=60)
    holder.cancel()
    until(lambda: granted(bots.limiter.Acquire(pb.AcquireRequest(check=bots.request("dan")), timeout=60)), "the slot to be free", timeout=60)
    watching = bots.admin.WatchPool(bots.admin_pb.GetPoolStatsRequest(), timeout=2)
    with pytest.raises(grpc.RpcError) as ended:
        list(watching)
    assert ended.value.code() == Code.DEADLINE_EXCEEDED
    until(lambda: server.metric("grpc_calls_open") == 0, "the call to have ended for the server too", timeout=60)


@BOTH
def test_streams_health_and_reflection_are_served(start_bursard, fleet, carrier):
    bots = fleet(start_bursard(carrier=carrier))
    stats = bots.admin.WatchPool(bots.admin_pb.GetPoolStatsRequest(), timeout=60)
    assert next(stats).slots == 5
    stats.cancel()
    assert bots.channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=60) == b"\x08\x01"
    ask = bots.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    questions = [b"\x3a\x01x", b"\x1a\x17bursar/v1/limiter.proto"]
    answers = list(ask(iter(questions), timeout=60))
    assert len(answers) == 2 and b"bursar.v1.Limiter" in answers[0] and b"CheckRequest" in answers[1]


# -- addresses

@BOTH
def test_a_unix_socket_is_served_again_after_a_kill(start_bursard, fleet, tmp_path, carrier):
    address = f"unix:{tmp_path}/grpc"
    server = start_bursard(carrier=carrier, grpc_listen=address)
    assert fleet(address).check("ann").allowed
    server.restart()
    assert fleet(address).check("ann").allowed
    server.stop()
    assert not os.path.exists(f"{tmp_path}/grpc")


@BOTH
@pytest.mark.parametrize("host", ["[::1]", "localhost"])
def test_ipv6_and_names_are_served(start_bursard, fleet, carrier, host):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = free_port()
    start_bursard(carrier=carrier, grpc_listen=f"{host}:{port}")
    assert fleet(f"{host}:{port}").check("ann").allowed


@BOTH
def test_a_port_is_shared_only_if_both_servers_allow_it(start_bursard, fleet, redis, postgres, carrier):
    first = start_bursard(carrier=carrier)
    done = run("--redis", redis.url, "--postgres", postgres.conninfo, "--http-listen", "127.0.0.1:0", "--grpc-listen", first.grpc_addr,
               "--carrier", carrier, "--reuse-port=true")
    assert done.returncode == 1 and f"cannot listen on {first.grpc_addr}" in done.stderr
    address = f"127.0.0.1:{free_port()}"
    servers = [start_bursard(carrier=carrier, env=SHARED, grpc_listen=address) for _ in range(2)]

    def both_were_asked():
        assert fleet(address).check("ann")
        return all(server.metric("grpc_calls_total") > 0 for server in servers)

    until(both_were_asked, "a connection to each", timeout=60)


def test_connections_are_dealt_out_evenly(start_bursard, raw):
    """With one call on each of ten connections, each of five workers has two: none is over max_calls."""
    server = start_bursard(carrier="nghttp2", workers=5, max_calls=2)
    callers = [raw(server) for _ in range(10)]
    for caller in callers:
        caller.call(1, WATCH_POOL, message(b""))
    for caller in callers:
        assert caller.until(lambda: caller.frames(DATA, 1)), caller.seen


# -- the end of a server

@BOTH
def test_calls_under_way_are_answered_while_the_server_stops(start_bursard, fleet, carrier):
    """Callers in turn, who reconnect when they are asked to leave; another server takes them."""
    address = f"127.0.0.1:{free_port()}"
    old = start_bursard(carrier=carrier, env=SHARED, grpc_listen=address)
    new = start_bursard(carrier=carrier, env=SHARED, grpc_listen=address)
    failed, done, stop = [], [], threading.Event()

    def keep_calling():
        bots = fleet(address)
        while not stop.is_set():
            try:
                bots.check("ann", timeout=60)
                done.append(1)
            except grpc.RpcError as error:
                failed.append(error)

    threads = [threading.Thread(target=keep_calling) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: old.metric("grpc_calls_total", code="OK") > 50 and new.metric("grpc_calls_total", code="OK") > 50, "both to serve", timeout=60)
    old.stop()
    before = len(done)
    until(lambda: len(done) > before + 50, "the other server to serve all", timeout=60)
    stop.set()
    for thread in threads:
        thread.join()
    # Those with gRPC core may be refused with UNAVAILABLE, DRAINING, which says to call again.
    assert carrier == "core" or not failed, failed[:3]


def test_a_goaway_in_two_steps_loses_no_call(start_bursard, raw):
    server = start_bursard(carrier="nghttp2", drain_ms=60_000)
    caller = raw(server, answers=False)
    caller.until(lambda: caller.frames(SETTINGS))
    caller.send(SETTINGS, ACK)
    caller.call(1, CHECK, message(check()))
    assert caller.end_of(1)["grpc-status"] == "0"
    server.signal(signal.SIGTERM)
    asked = caller.until(lambda: caller.frames(GOAWAY))
    assert struct.unpack(">II", asked[0][:8]) == (2**31 - 1, 0)
    caller.call(3, CHECK, message(check()))
    assert caller.end_of(3)["grpc-status"] == "0"
    for ping in caller.until(lambda: caller.frames(PING)):
        caller.send(PING, ACK, 0, ping)
    caller.until(lambda: len(caller.frames(GOAWAY)) == 2)
    assert struct.unpack(">II", caller.frames(GOAWAY)[1][:8]) == (3, 0)
    caller.call(5, CHECK, message(check()))
    assert caller.end_of(5) is None and caller.closed


@BOTH
def test_a_stop_ends_streams_with_unavailable_and_waits_for_no_silent_caller(start_bursard, raw, fleet, carrier):
    server = start_bursard(carrier=carrier, drain_ms=1000)
    silent = raw(server, answers=False)
    silent.call(1, CHECK, end=False)
    stats = fleet(server).admin.WatchPool(protos.admin_pb2.GetPoolStatsRequest(), timeout=60)
    next(stats)
    server.stop()
    with pytest.raises(grpc.RpcError) as ended:
        list(stats)
    assert ended.value.code() == Code.UNAVAILABLE


# -- hostile callers

def is_served(server, fleet):
    return fleet(server).check("ann", timeout=60).allowed


def test_too_many_pings_end_the_connection(start_bursard, raw, fleet):
    server = start_bursard(carrier="nghttp2")
    caller = raw(server)
    for number in range(4):
        caller.send(PING, 0, 0, struct.pack(">Q", number))
    assert caller.goaway()[1:] == (CALM, "too_many_pings")
    assert is_served(server, fleet)


def test_pings_after_answers_are_fine(start_bursard, raw):
    """As clients send them that measure the line: gRPC's own do."""
    caller = raw(start_bursard(carrier="nghttp2"))
    for stream in range(1, 41, 2):
        caller.call(stream, CHECK, message(check()))
        caller.send(PING, 0, 0, struct.pack(">Q", stream))
        assert caller.end_of(stream)["grpc-status"] == "0"
    caller.until(lambda: len([1 for kind, flags, *_ in caller.seen if kind == PING and flags & ACK]) == 20)


FLOODS = {
    "settings": frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 70_000)),
    "priority": frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 1)),
    "window": frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)),
    "empty": frame(DATA, 0, 1),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_frames_that_ask_for_nothing_end_the_connection_if_they_are_too_many(start_bursard, raw, fleet, kind):
    server = start_bursard(carrier="nghttp2")
    caller = raw(server)
    caller.call(1, CHECK, end=False)
    for _ in range(200):
        if not caller.send_bytes(FLOODS[kind] * 100):
            break
    assert caller.goaway()[1] == CALM or caller.closed
    assert is_served(server, fleet)


@BOTH
def test_calls_that_are_reset_at_once_do_not_stop_others(start_bursard, raw, fleet, carrier):
    """Rapid reset: 30,000 calls, each of them taken back in the same breath."""
    server = start_bursard(carrier=carrier)
    caller = raw(server)
    heads, body = headers(CHECK), message(check(user="reset"))
    for first in range(1, 60_000, 200):
        burst = b"".join(frame(HEADERS, END_HEADERS, stream, heads) + frame(DATA, END_STREAM, stream, body) +
                         frame(RST_STREAM, 0, stream, struct.pack(">I", 8)) for stream in range(first, first + 200, 2))
        if not caller.send_bytes(burst):
            break
    assert is_served(server, fleet)
    if carrier == "nghttp2":
        caller.until(lambda: None)
        assert caller.closed
    until(lambda: server.metric("grpc_calls_open") == 0, "no call to be open", timeout=60)


@pytest.mark.parametrize("knows", [False, True])
def test_streams_above_the_bound_are_refused(start_bursard, raw, knows):
    """Whoever has confirmed that they know the bound breaks the protocol."""
    caller = raw(start_bursard(carrier="nghttp2"), answers=knows)
    caller.until(lambda: caller.frames(SETTINGS))
    for stream in range(1, 2 * 1001 + 1, 2):
        caller.call(stream, CHECK, end=False)
    if knows:
        assert caller.goaway()[1] == PROTOCOL_ERROR
        return
    assert caller.end_of(2001) == REFUSED
    caller.send(DATA, END_STREAM, 1, message(check()))
    assert caller.end_of(1)["grpc-status"] == "0"


def test_headers_that_never_end_close_the_connection(start_bursard, raw, fleet):
    server = start_bursard(carrier="nghttp2")
    caller = raw(server)
    caller.send(HEADERS, 0, 1, headers(CHECK))
    while caller.send(CONTINUATION, 0, 1, literal(b"x-a", b"a")):
        pass
    assert caller.closed and is_served(server, fleet)


@BOTH
def test_headers_that_expand_are_cut_off(start_bursard, raw, fleet, carrier):
    """A header of 4,000 bytes is sent once, and then 16,000 times by its number in the table: 64 MB from 16 KiB."""
    server = start_bursard(carrier=carrier)
    before = rss(server)
    caller = raw(server)
    for stream in range(1, 41, 2):
        bomb = headers(CHECK) + literal(b"x", b"y" * 4000, kept=True)
        caller.send(HEADERS, 0, stream, bomb)
        caller.send(CONTINUATION, END_HEADERS, stream, b"\xbe" * 16_000)
    caller.send(PING, 0, 0, b"12345678")
    caller.until(lambda: any(kind == PING and flags & ACK for kind, flags, *_ in caller.seen))
    assert rss(server) - before < 64 << 20
    assert is_served(server, fleet)


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\0\xc8\x01\0\0\xc4\x03\x03", bytes(range(200))],
                         ids=["http1", "tls", "bytes"])
def test_what_is_not_http2_is_closed(start_bursard, raw, fleet, first):
    server = start_bursard(carrier="nghttp2")
    caller = raw(server, greets=False)
    caller.send_bytes(first)
    caller.until(lambda: None)
    assert caller.closed and is_served(server, fleet)


def test_a_caller_who_says_nothing_is_closed(start_bursard, raw):
    caller = raw(start_bursard(carrier="nghttp2"), greets=False)
    caller.until(lambda: None)
    assert caller.closed


def test_a_caller_who_has_vanished_during_a_call_is_noticed(start_bursard, raw):
    """They answer no ping: their call ends, and so does the connection."""
    server = start_bursard(carrier="nghttp2")
    caller = raw(server, answers=False)
    caller.call(1, WATCH_POOL, message(b""))
    caller.until(lambda: caller.frames(DATA, 1))
    until(lambda: server.metric("grpc_calls_open") == 0, "the call to end", timeout=120)
    caller.until(lambda: None)
    assert caller.closed and caller.frames(PING)


@BOTH
def test_connections_that_do_nothing_cost_little(start_bursard, raw, fleet, carrier):
    """The bound is wide, because sanitizers take memory of their own."""
    server = start_bursard(carrier=carrier)
    before = rss(server)
    callers = [raw(server) for _ in range(300)]
    for caller in callers:
        caller.until(lambda: caller.frames(SETTINGS))
    assert rss(server) - before < 300 * (200 << 10)
    assert is_served(server, fleet)
