"""Redis behind TLS: its certificate must be of the authority that redis_tls_ca names, and issued for the host. Where hiredis has TLS."""
import subprocess
import threading

import pytest

from bots import Bots, unique
from certificates import Authority
from harness import Bursard, Redis, program, protos, until
from harness.ports import free_port


@pytest.fixture(scope="module", autouse=True)
def built_with_tls():
    tried = subprocess.run([program("bursard"), "--redis", "rediss://127.0.0.1:1", "--redis-tls-ca", "/nowhere.pem"], capture_output=True,
                           text=True, timeout=60, check=False)
    if "needs a build with hiredis_ssl" in tried.stderr:
        pytest.skip("this hiredis has no TLS")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "ours")


@pytest.fixture
def serve(authority):
    """serve(**fields of the certificate): a Redis behind TLS, and its port."""
    running = []

    def start(signed_by=authority, **fields):
        cert, key = signed_by.issue("redis", **fields)
        port = free_port()
        server = Redis(settings={"tls-port": port, "tls-cert-file": cert, "tls-key-file": key, "tls-ca-cert-file": signed_by.cert,
                                 "tls-auth-clients": "no"})
        running.append(server)
        return server, port

    yield start
    for server in running:
        server.kill()


@pytest.fixture
def refused(postgres):
    """refused(url, **options): what /readyz and the log say of a bursard that does not become ready."""
    servers = []

    def start(url, **options):
        server = Bursard(url, postgres, wait=False, **options)
        servers.append(server)
        until(lambda: answers(server) and "redis" in answers(server)[1], "/readyz that speaks of Redis", 60, alive=server)
        until(lambda: "certificate" in answers(server)[1], "/readyz that speaks of the certificate", 60, alive=server)
        return answers(server)[1], server.log()

    yield start
    for server in servers:
        server.stop()


def answers(server):
    try:
        return server.http("/readyz")
    except OSError:
        return None


@pytest.mark.parametrize(("host", "alternative"), [("127.0.0.1", "IP:127.0.0.1"), ("localhost", "DNS:localhost")])
def test_a_fleet_is_served_over_tls(start_bursard, authority, serve, host, alternative):
    server, port = serve(alternative=alternative)
    bursards = [start_bursard(redis=f"rediss://{host}:{port}", redis_tls_ca=authority.cert, workers=4) for _ in range(2)]
    fleets = [Bots(protos, bursard.grpc_addr) for bursard in bursards]
    user = fleets[0].user_with(fleets[0].calendar("day", "requests", 40))
    allowed = []

    def ask(fleet):
        for _ in range(15):
            answer = fleet.check(user)
            allowed.append(answer.allowed)
            if answer.allowed:
                fleet.record(answer, input_tokens=1)
    threads = [threading.Thread(target=ask, args=(fleet,)) for fleet in fleets for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allowed.count(True) == 40 and len(allowed) == 60
    big = fleets[0].limiter.CheckBatch(fleets[0].limiter_pb.CheckBatchRequest(
        items=[fleets[0].request(unique("u"), input_tokens=1) for _ in range(1000)]), timeout=60)
    assert all(item.response.allowed for item in big.items)
    # The connections that listen for grants are TLS as well.
    until(lambda: len(server.client.pubsub_channels("b:g:*")) == 8, "every worker listening", 60)
    for fleet in fleets:
        fleet.close()


def test_a_lost_connection_is_made_again(start_bursard, authority, serve):
    server, port = serve()
    bursard = start_bursard(redis=f"rediss://127.0.0.1:{port}", redis_tls_ca=authority.cert)
    fleet = Bots(protos, bursard.grpc_addr)
    user = fleet.user_with(fleet.calendar("day", "requests", 40))
    assert fleet.check(user).quality == protos.types_pb2.QUALITY_EXACT
    server.client.execute_command("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "yes")
    until(lambda: fleet.check(user).quality == protos.types_pb2.QUALITY_EXACT, "EXACT again", 60)
    fleet.close()


def test_another_authority_is_refused_and_the_option_named(serve, refused, tmp_path):
    _, port = serve()
    ready, log = refused(f"rediss://127.0.0.1:{port}", redis_tls_ca=Authority(tmp_path, "theirs").cert)
    for said in (ready, log):
        assert "the certificate is not accepted" in said and "redis_tls_ca names the file" in said
    ready, log = refused(f"rediss://127.0.0.1:{port}")  # the system's authorities do not know it either
    assert "redis_tls_ca names the file" in ready


@pytest.mark.parametrize(("host", "alternative"), [("127.0.0.1", "IP:127.0.0.2"), ("localhost", "DNS:other.example"), ("127.0.0.1", "DNS:127.0.0.1"),
                                                   ("localhost", "DNS:local*")])
def test_a_certificate_for_another_host_is_refused(serve, refused, authority, host, alternative):
    _, port = serve(alternative=alternative)
    ready, log = refused(f"rediss://{host}:{port}", redis_tls_ca=authority.cert)
    assert f"the certificate is not issued for {host}" in ready and f"the certificate is not issued for {host}" in log


def test_an_expired_certificate_is_refused(serve, refused, authority):
    _, port = serve(expired=True)
    assert "certificate has expired" in refused(f"rediss://127.0.0.1:{port}", redis_tls_ca=authority.cert)[0]


def test_a_file_that_holds_no_authority_ends_the_start(postgres, tmp_path):
    for path, text in ((tmp_path / "nowhere.pem", None), (tmp_path / "empty.pem", ""), (tmp_path / "other.pem", "no PEM")):
        if text is not None:
            path.write_text(text)
        done = subprocess.run([program("bursard"), "--redis", "rediss://127.0.0.1:1", "--redis-tls-ca", path, "--postgres", postgres.conninfo],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0 and "redis_tls_ca: " in done.stderr and "cannot be read as a PEM file" in done.stderr, done.stderr
