"""Where a request ends: what a proxy and Bursar could read differently is refused, and the connection closed."""
import contextlib
import re
import socket

import pytest

BODY = b'{"model":"o3"}'
CHUNKED = b"e\r\n" + BODY + b"\r\n0\r\n\r\n"
NEXT = b"GET /v1/status?user=ann HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def raw(bursard):
    """raw(bytes, half_closed): what the server sends until it closes."""
    host, port = bursard.http_addr.split(":")

    def talk(data, half_closed=False):
        with socket.create_connection((host, int(port)), timeout=30) as caller:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                caller.sendall(data)
                if half_closed:
                    caller.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := caller.recv(65536):
                    answer += piece
            return answer

    return talk


def post(*headers, body=BODY, version="1.1", path="/v1/estimate"):
    lines = [f"POST {path} HTTP/{version}", "Host: localhost", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def statuses(answer):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


UNCERTAIN = [
    (["Content-Length: 14", "Content-Length: 14"], BODY, "1.1"),
    (["Content-Length: 4", "Content-Length: 14"], BODY, "1.1"),
    (["Content-Length: 14, 14"], BODY, "1.1"),
    (["Content-Length: +14"], BODY, "1.1"),
    (["Content-Length: 0xe"], BODY, "1.1"),
    (["Content-Length : 14"], BODY, "1.1"),
    (["Content-Length: 4", "Transfer-Encoding: chunked"], CHUNKED, "1.1"),
    (["Transfer-Encoding: chunked", "Content-Length: 14"], CHUNKED, "1.1"),
    (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], CHUNKED, "1.1"),
    (["Transfer-Encoding: gzip, chunked"], CHUNKED, "1.1"),
    (["Transfer-Encoding: identity", "Content-Length: 14"], BODY, "1.1"),
    (["Transfer-Encoding: xchunked"], CHUNKED, "1.1"),
    (["Transfer-Encoding : chunked", "Content-Length: 14"], BODY, "1.1"),
    (["Transfer-Encoding: chunked"], CHUNKED, "1.0"),
    (["Content-Length: 14", "Host: elsewhere"], BODY, "1.1"),
    (["Content-Length: 14", "Authorization: Bearer a", "Authorization: Bearer b"], BODY, "1.1"),
    (["Transfer-Encoding: chunked"], b"zz\r\n" + CHUNKED, "1.1"),
    (["Transfer-Encoding: chunked"], b"-e\r\n" + CHUNKED, "1.1"),
    (["Transfer-Encoding: chunked"], b"e\r\n" + BODY + b"XX0\r\n\r\n", "1.1"),
]


def test_a_request_without_one_certain_end_is_refused_and_nothing_after_it_is_read(raw):
    for headers, body, version in UNCERTAIN:
        answer = raw(post(*headers, body=body, version=version) + NEXT)
        assert set(statuses(answer)) == {400} and b'"accounts"' not in answer, (headers, answer)


def test_bodies_that_have_one_are_read(raw, bursard):
    for request in (post("Content-Length: 14"), post("Transfer-Encoding: chunked", body=CHUNKED),
                    post("Transfer-Encoding: Chunked", body=CHUNKED.replace(b"\r\n0", b"\r\n0;a=b"))):
        assert statuses(raw(request + NEXT)) == [200, 200], request
    assert statuses(raw(b"GET http://localhost:7421/v1/tiers HTTP/1.1\r\nHost: localhost\r\n\r\n" + NEXT)) == [200, 200]
    assert statuses(raw(b"HEAD /v1/tiers HTTP/1.1\r\nHost: localhost\r\n\r\n" + NEXT)) == [200, 200]
    assert statuses(raw(post("Content-Length: 14", version="1.0"))) == [200]


def test_a_hundred_requests_at_once_are_answered_one_by_one(raw):
    assert statuses(raw(post("Content-Length: 14") * 99 + NEXT)) == [200] * 100


def test_who_asks_before_sending_a_body_that_is_too_large_is_told_so_before(raw):
    assert statuses(raw(post("Expect: 100-continue", f"Content-Length: {10**12}", body=b""))) == [413]
    assert statuses(raw(post("Expect: 100-continue", "Content-Length: 14") + NEXT)) == [100, 200, 200]


def test_what_does_not_fit_or_is_no_http_is_refused(raw):
    get = "GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n"
    for status, request in ((431, get.format("/v1/tiers", "X: " + "a" * 100_000 + "\r\n")), (431, get.format("/v1/tiers", "X: a\r\n" * 10_000)),
                            (414, get.format("/v1/tiers/" + "a" * 40_000, "")), (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                            (400, "GET /v1/tiers\r\n\r\n"), (400, get.format("/v1/tiers", "no colon\r\n"))):
        assert set(statuses(raw(request.encode()))) == {status}, request[:80]
    for method, status in (("TRACE", 405), ("OPTIONS", 405), ("CONNECT", 405), ("get", 405)):
        answer = raw(get.format("/v1/check", "Connection: close\r\n").replace("GET", method, 1).encode())
        assert statuses(answer) == [status] and b"Allow: POST" in answer, answer
    for path, status in (("/v1/tiers/" + "a" * 9000, 404), ("/v1/accounts/user/a%00b", 400), ("/v1/accounts/user/a%0D%0Ab", 400),
                         ("/v1/tiers/%zz", 400), ("/a" * 8000, 404)):
        answer = raw(get.format(path, "Connection: close\r\n").encode())
        assert statuses(answer) == [status] and len(answer) < 2000, answer


@pytest.mark.parametrize("parameters, status", [(1, 200), (499, 400), (500, 400), (2000, 400), (5000, 400), (20000, 414)])
def test_many_query_parameters_are_answered_at_once(raw, parameters, status):
    """Without an answer, the connection would stay open for `answer_timeout_ms`."""
    query = "&".join(["to"] * parameters) if status == 400 else "&".join(["user=a"] * parameters)
    assert statuses(raw(f"GET /v1/status?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())) == [status]


def test_who_sends_less_than_they_announced_is_cut_off(start_bursard):
    server = start_bursard(answer_timeout_ms=1000)
    host, port = server.http_addr.split(":")
    for begin in (b"GET /v1/ti", b"GET /v1/tiers HTTP/1.1\r\nHost: lo", post("Content-Length: 15"), post("Transfer-Encoding: chunked", body=CHUNKED[:-2])):
        with socket.create_connection((host, int(port)), timeout=60) as caller:
            caller.sendall(begin)
            assert caller.recv(1000) == b"", begin


def test_headers_that_drip_are_cut_off_though_the_connection_is_never_idle(start_bursard):
    server = start_bursard(answer_timeout_ms=1000)
    host, port = server.http_addr.split(":")
    with socket.create_connection((host, int(port)), timeout=0.1) as caller:
        caller.sendall(b"GET /v1/tiers HTTP/1.1\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(600):
                caller.sendall(b"X")
                with contextlib.suppress(TimeoutError):
                    if caller.recv(1) == b"":
                        raise ConnectionResetError


def test_five_thousand_idle_connections_cost_little_and_keep_nobody_out(bursard, bots, raw):
    host, port = bursard.http_addr.split(":")

    def resident():
        with open(f"/proc/{bursard.popen.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    before = resident()
    with contextlib.ExitStack() as open_ones:
        for _ in range(5000):
            caller = open_ones.enter_context(socket.create_connection((host, int(port)), timeout=30))
            caller.sendall(b"POST /v1/check HTTP/1.1\r\nHost: loc")
        assert statuses(raw(post("Content-Length: 14") + NEXT)) == [200, 200]
        assert bots.check("ann").allowed
        assert resident() - before < 5000 * (48 << 10)
