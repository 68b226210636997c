"""TLS at the gRPC port: who is let in with which certificate, and a certificate that is replaced while calls run."""
import os
import shutil
import ssl
import subprocess
import threading

import grpc
import pytest

from harness import Bursard, program, protos, run_bursar, until
from bots import unique
from certificates import Authority
from harness.ports import free_port

Code = grpc.StatusCode
OPERATOR, BOT = 5, 2


class Doors:
    """A bursard with TLS, and callers of every kind."""

    def __init__(self, directory, redis, postgres, **options):
        self.authority = Authority(directory, "authority")
        self.cert, self.key = directory / "server.pem", directory / "server.key"
        self.put(*self.authority.issue("bursard"))
        self.server = Bursard(redis, postgres, tls_cert=self.cert, tls_key=self.key, **options)

    def put(self, cert, key):
        """Both files anew, each in one step."""
        for source, target in ((cert, self.cert), (key, self.key)):
            shutil.copy(source, str(target) + ".new")
            os.replace(str(target) + ".new", target)

    def channel(self, authority=None, own=None):
        roots = (authority or self.authority).cert.read_bytes()
        cert, key = (path.read_bytes() for path in own) if own else (None, None)
        return grpc.secure_channel(self.server.grpc_addr, grpc.ssl_channel_credentials(roots, key, cert),
                                   options=[("grpc.use_local_subchannel_pool", 1)])

    def call(self, method="GetStatus", request=None, secret=None, timeout=20, **which):
        with self.channel(**which) as channel:
            stubs = (protos.limiter_pb2_grpc.LimiterStub(channel), protos.admin_pb2_grpc.AdminStub(channel))
            stub = next(stub for stub in stubs if hasattr(stub, method))
            metadata = [("authorization", "Bearer " + secret)] if secret else []
            return getattr(stub, method)(request or protos.limiter_pb2.GetStatusRequest(user="ann"), timeout=timeout, metadata=metadata)

    def code(self, *args, **which):
        try:
            self.call(*args, **which)
            return Code.OK
        except grpc.RpcError as error:
            return error.code()

    def serial(self):
        pem = ssl.get_server_certificate(tuple(self.server.grpc_addr.rsplit(":", 1)))
        return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def secured(tmp_path, redis, postgres):
    own = Doors(tmp_path, redis, postgres)
    yield own
    own.server.stop()


@pytest.fixture
def mutual(tmp_path, redis, postgres):
    callers = Authority(tmp_path, "callers")
    own = Doors(tmp_path, redis, postgres, tls_client_ca=callers.cert,
                tls_clients="ops.example=operator, telegram.acme=bot@acme,viewer.acme=viewer@acme")
    own.callers = callers
    yield own
    own.server.stop()


def test_calls_are_encrypted_for_those_who_trust_the_authority(secured, tmp_path):
    assert secured.code() == Code.OK
    assert secured.code(authority=Authority(tmp_path, "somebody")) == Code.UNAVAILABLE
    with grpc.insecure_channel(secured.server.grpc_addr) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            protos.limiter_pb2_grpc.LimiterStub(channel).GetStatus(protos.limiter_pb2.GetStatusRequest(user="ann"), timeout=20)
    assert caught.value.code() == Code.UNAVAILABLE


def test_the_command_line_speaks_tls(secured, tmp_path):
    def bursar(*args, **env):
        return run_bursar(secured.server.grpc_addr, "status", "ann", *args, **env)

    ca = secured.authority.cert
    assert bursar("--tls-ca", ca).returncode == 0
    assert bursar(BURSAR_TLS_CA=str(ca)).returncode == 0
    assert bursar("--timeout", "2s").returncode == 3
    assert bursar("--timeout", "2s", "--tls-ca", "system").returncode == 3
    for args in (("--tls-ca", tmp_path / "none"), ("--tls-ca", __file__),
                 ("--tls-cert", ca), ("--tls-ca", ca, "--tls-cert", ca)):
        done = bursar(*args)
        assert done.returncode == 2 and ("TLS" in done.stderr or "--tls-" in done.stderr), args


def test_the_command_line_says_why_nobody_is_reached(mutual, tmp_path):
    def said(*args):
        done = run_bursar(mutual.server.grpc_addr, "status", "ann", *args)
        assert done.returncode == 3, done
        return done.stderr

    ca, stranger = mutual.authority.cert, Authority(tmp_path, "stranger")
    assert "was closed" in said() and "--tls-ca FILE" in said()
    assert "not issued by the authority" in said("--tls-ca", stranger.cert)
    cert, key = stranger.issue("ops.example")
    assert "asks for client certificates" in said("--tls-ca", ca, "--tls-cert", cert, "--tls-key", key)
    mutual.put(*mutual.authority.issue("bursard", alternative="DNS:elsewhere"))
    until(lambda: "another name" in said("--tls-ca", ca), "the new certificate being shown")
    mutual.put(*mutual.authority.issue("bursard", expired=True))
    until(lambda: "not valid now" in said("--tls-ca", ca), "the expired certificate being shown")


def test_a_certificate_stands_for_a_role_of_a_tenant(mutual):
    pb, admin_pb = protos.limiter_pb2, protos.admin_pb2
    operator, bot = mutual.callers.issue("ops.example"), mutual.callers.issue("telegram.acme")
    named = mutual.callers.issue("somebody", alternative="DNS:viewer.acme")
    key = mutual.call("CreateKey", admin_pb.CreateKeyRequest(role=OPERATOR), own=operator)
    assert mutual.call("Check", pb.CheckRequest(user="ann"), own=bot).allowed
    assert mutual.code("Check", pb.CheckRequest(user="ann", tenant="other"), own=bot) == Code.PERMISSION_DENIED
    assert mutual.code("ListTiers", admin_pb.ListTiersRequest(), own=bot) == Code.PERMISSION_DENIED
    assert mutual.call("ListTiers", admin_pb.ListTiersRequest(), own=named).tiers
    assert mutual.code("Check", pb.CheckRequest(user="ann"), own=named) == Code.PERMISSION_DENIED
    # No certificate, or one of a name that nobody knows: a key is needed, and does.
    stranger = mutual.callers.issue("stranger.example", alternative="DNS:stranger.example")
    for own in (None, stranger):
        assert mutual.code(own=own) == Code.UNAUTHENTICATED
        assert mutual.code(own=own, secret=key.secret) == Code.OK
    # A key that is shown is what counts.
    assert mutual.code(own=operator, secret="bsk_wrong") == Code.UNAUTHENTICATED
    actors = [entry.actor for entry in mutual.call("ListAudit", admin_pb.ListAuditRequest(all_tenants=True), own=operator).entries]
    assert actors and actors[-1].startswith("certificate ops.example from ")


def test_a_wrong_or_expired_certificate_is_not_let_in(mutual, tmp_path):
    stranger = Authority(tmp_path, "stranger").issue("ops.example")
    expired = mutual.callers.issue("ops.example", expired=True)
    assert mutual.code(own=stranger, secret=None) == Code.UNAVAILABLE
    assert mutual.code(own=expired) == Code.UNAVAILABLE
    assert mutual.code(own=mutual.callers.issue("ops.example")) == Code.OK


def test_a_revoked_certificate_is_refused_as_soon_as_it_is_listed(tmp_path, redis, postgres):
    callers, revoked = Authority(tmp_path, "callers"), tmp_path / "revoked"
    revoked.write_text("# nobody yet\n")
    own = Doors(tmp_path, redis, postgres, tls_client_ca=callers.cert, tls_clients="ops.example=operator", tls_revoked=revoked)
    leaked, good = callers.issue("ops.example"), callers.issue("ops.example")
    assert own.code(own=leaked) == own.code(own=good) == Code.OK
    fingerprint = subprocess.run(["openssl", "x509", "-in", leaked[0], "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True,
                                 timeout=60, check=True).stdout
    streams = []
    for cert in (leaked, good):
        channel = own.channel(own=cert)
        streams.append((channel, protos.admin_pb2_grpc.AdminStub(channel).WatchPool(protos.admin_pb2.GetPoolStatsRequest())))
        assert next(streams[-1][1]).slots
    revoked.write_text(fingerprint)
    with pytest.raises(grpc.RpcError) as caught:  # what is open already ends, too
        for _ in range(60):
            next(streams[0][1])
    assert caught.value.code() == Code.UNAUTHENTICATED and caught.value.details() == "the certificate was revoked"
    assert next(streams[1][1]).slots
    for channel, stream in streams:
        stream.cancel()
        channel.close()
    until(lambda: own.code(own=leaked) == Code.UNAUTHENTICATED, "the certificate being refused")
    assert own.code(own=good) == Code.OK
    revoked.write_text("nonsense\n")
    until(lambda: own.code(own=good) in (Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED), "nobody being let in on a broken list")
    revoked.write_text("")
    until(lambda: own.code(own=leaked) == Code.OK, "the list being read anew")
    own.server.stop()


def test_callers_without_a_certificate_are_kept_out_where_one_is_required(tmp_path, redis, postgres):
    callers = Authority(tmp_path, "callers")
    own = Doors(tmp_path, redis, postgres, tls_client_ca=callers.cert, tls_client_certs="required")
    assert own.code() == Code.UNAVAILABLE
    assert own.code(own=callers.issue("anybody")) == Code.OK
    own.server.stop()


def test_a_new_certificate_is_served_without_a_restart_and_no_call_is_lost(secured):
    failures, made, stop = [], [], threading.Event()

    def keep_calling(channel_each_time):
        channel = secured.channel()
        while not stop.is_set():
            if channel_each_time:
                channel.close()
                channel = secured.channel()
            limiter = protos.limiter_pb2_grpc.LimiterStub(channel)
            try:
                limiter.Check(protos.limiter_pb2.CheckRequest(user=unique("user")), timeout=30)
                made.append(1)
            except grpc.RpcError as error:
                failures.append((error.code(), error.details()))
        channel.close()

    threads = [threading.Thread(target=keep_calling, args=(i % 2 == 0,)) for i in range(4)]
    for thread in threads:
        thread.start()
    old = secured.serial()
    seen = {old}
    for _ in range(5):
        cert, key = secured.authority.issue("bursard")
        # Between the two files they do not belong together: the old pair is served until they do.
        secured.put(cert, key)
        until(lambda: secured.serial() not in seen, "the new certificate")
        seen.add(secured.serial())
        goal = len(made) + 20
        until(lambda: len(made) >= goal or failures, "more calls")
    secured.cert.write_text("no certificate\n")
    assert secured.serial() in seen and secured.code() == Code.OK
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures and len(seen) == 6


@pytest.mark.parametrize("options, field", [
    ({"tls_cert": "x"}, "tls_key"), ({"tls_key": "x"}, "tls_cert"), ({"tls_cert": "/nowhere", "tls_key": "/nowhere"}, "tls_cert"),
    ({"tls_client_ca": "x"}, "tls_client_ca"), ({"tls_clients": "a=bot@b"}, "tls_clients"), ({"tls_revoked": "x"}, "tls_revoked")])
def test_options_that_do_not_fit_together_are_refused(redis, postgres, options, field):
    flags = [part for name, value in options.items() for part in ("--" + name.replace("_", "-"), value)]
    done = subprocess.run([program("bursard"), "--redis", redis.url, "--postgres", postgres.conninfo, "--grpc-listen", "127.0.0.1:0",
                           "--http-listen", "127.0.0.1:0", *flags], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and field in done.stderr, done.stderr


@pytest.mark.parametrize("text, why", [("a", "no '='"), ("a=bot", "@tenant"), ("a=king@b", "bot, viewer"), ("a=operator@b", "operators have all"),
                                       ("a=user@b", "bot, viewer")])
def test_tls_clients_says_what_is_wrong_with_it(tmp_path, redis, postgres, text, why):
    authority = Authority(tmp_path, "callers")
    cert, key = authority.issue("bursard")
    done = subprocess.run([program("bursard"), "--redis", redis.url, "--postgres", postgres.conninfo, "--grpc-listen", "127.0.0.1:0",
                           "--http-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", authority.cert,
                           "--tls-clients", text], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and why in done.stderr, done.stderr

def test_a_connection_that_fails_ends_with_its_code_and_nothing_else(tmp_path):
    """gRPC's threads may be about to connect once more when the process exits: many at a time, which keeps the machine busy."""
    ca, nobody = Authority(tmp_path, "nobody").cert, f"127.0.0.1:{free_port()}"
    for _ in range(4):
        running = [subprocess.Popen([program("bursar"), "status", "ann", "--addr", nobody, "--tls-ca", str(ca), "--timeout", "1s"],
                                    stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}) for _ in range(10)]
        for command in running:
            said = command.communicate(timeout=60)[1]
            assert command.returncode == 3 and len(said.splitlines()) == 2, (command.returncode, said)
