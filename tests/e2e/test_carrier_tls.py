"""TLS of the carrier nghttp2, beside what test_tls.py says of both: handshakes that go wrong, many at once, and the end of the server."""
import concurrent.futures
import socket
import ssl

import grpc
import pytest

from bots import unique
from certificates import Authority
from harness import protos, until


class Served:
    def __init__(self, start_bursard, folder):
        self.authority = Authority(folder, "authority")
        cert, key = self.authority.issue("bursard")
        self.server = start_bursard(carrier="nghttp2", tls_cert=cert, tls_key=key)
        self.address = tuple(self.server.grpc_addr.rsplit(":", 1))

    def connect(self, first=b""):
        opened = socket.create_connection(self.address)
        opened.settimeout(60)
        opened.sendall(first)
        return opened

    def shake(self, *protocols):
        """An ssl.SSLSocket whose handshake has ended."""
        context = ssl.create_default_context(cafile=self.authority.cert)
        if protocols:
            context.set_alpn_protocols(protocols)
        return context.wrap_socket(self.connect(), server_hostname="127.0.0.1")

    def channel(self):
        return grpc.secure_channel(self.server.grpc_addr, grpc.ssl_channel_credentials(self.authority.cert.read_bytes()),
                                   options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)])

    def is_served(self):
        with self.channel() as channel:
            limiter = protos.limiter_pb2_grpc.LimiterStub(channel)
            return limiter.Check(protos.limiter_pb2.CheckRequest(user=unique("user")), timeout=60).allowed


@pytest.fixture
def served(start_bursard, tmp_path):
    return Served(start_bursard, tmp_path)


def rest_of(opened):
    """What comes until the server closes."""
    got = b""
    while part := opened.recv(4096):
        got += part
    return got


def test_a_client_of_another_protocol_is_told_by_an_alert(served):
    with pytest.raises(ssl.SSLError) as caught:
        served.shake("http/1.1")
    assert "no application protocol" in str(caught.value).lower().replace("_", " ")
    with served.shake("http/1.1", "h2") as opened:
        assert opened.selected_alpn_protocol() == "h2" and opened.version() == "TLSv1.3"


def test_a_client_that_asks_for_no_protocol_sees_the_certificate_and_the_end(served):
    with served.shake() as opened:
        assert opened.getpeercert()["subject"] == ((("commonName", "bursard"),),)
        assert rest_of(opened) == b""


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\0\x05\x01\0\0\x01\x01"])
def test_what_is_not_tls_is_closed(served, first):
    with served.connect(first) as opened:
        rest_of(opened)
    assert served.is_served()


def test_a_handshake_that_does_not_end_is_closed(served):
    # A record's head, and no record.
    opened = [served.connect(b"\x16\x03\x01\x02\x00\x01")] + [served.connect() for _ in range(3)]
    assert served.is_served()
    for one in opened:
        assert rest_of(one) == b""
        one.close()


def test_the_server_stops_during_a_handshake(served):
    opened = served.connect(b"\x16\x03\x01\x02\x00\x01")
    assert served.is_served()
    served.server.stop()
    assert rest_of(opened) == b""
    opened.close()


def test_many_handshakes_at_once_all_end(served):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        shaken = list(pool.map(lambda _: served.shake("h2"), range(60)))
    assert served.is_served()
    for one in shaken:
        assert one.recv(9)[3:4] == b"\4"  # the server's settings
        one.close()


def test_large_messages_go_both_ways(served):
    pb = protos.limiter_pb2
    items = [pb.CheckRequest(user=unique("user"), request_id=f"{i}-" + "r" * 100, verbose=True) for i in range(1000)]
    with served.channel() as channel:
        limiter = protos.limiter_pb2_grpc.LimiterStub(channel)
        pending = [limiter.CheckBatch.future(pb.CheckBatchRequest(items=items), timeout=120) for _ in range(10)]
        for call in pending:
            assert [item.response.request_id for item in call.result().items] == [item.request_id for item in items]


def test_a_client_that_closes_its_side_has_left(served):
    with served.channel() as channel:
        admin = protos.admin_pb2_grpc.AdminStub(channel)
        stream = admin.WatchPool(protos.admin_pb2.GetPoolStatsRequest())
        assert next(stream).now_us
        assert served.server.metric("grpc_calls_open") == 1
    until(lambda: served.server.metric("grpc_calls_open") == 0, "the call to end", timeout=60)
