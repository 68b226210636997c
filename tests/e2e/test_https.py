"""TLS at the HTTP port, and what plain HTTP serves to other machines."""
import ssl

import pytest

from harness import Bursard
from harness.ports import free_port
from certificates import Authority
from test_tls import Doors
from web import Door


@pytest.fixture
def start_doors(tmp_path, redis, postgres):
    started = []

    def start(**options):
        own = Doors(tmp_path, redis, postgres, https_listen=f"127.0.0.1:{free_port()}", **options)
        started.append(own)
        return own
    yield start
    for own in started:
        own.server.stop()


def door_of(doors, authority=None, own=None, **headers):
    context = ssl.create_default_context(cafile=(authority or doors.authority).cert)
    context.check_hostname = False
    if own:
        context.load_cert_chain(*own)
    return Door(doors.server.options["https_listen"], tls=context, **headers)


def certificate_of(doors):
    return ssl.get_server_certificate(tuple(doors.server.options["https_listen"].rsplit(":", 1)))


def test_https_serves_those_who_trust_the_authority_and_takes_a_new_certificate(start_doors, tmp_path):
    doors = start_doors()
    door = door_of(doors)
    assert door("GET", "/v1/tiers", Host="127.0.0.1").status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        door_of(doors, authority=Authority(tmp_path, "somebody"))("GET", "/v1/tiers")
    before = certificate_of(doors)
    doors.put(*doors.authority.issue("bursard"))
    assert certificate_of(doors) != before and door("GET", "/v1/tiers").status == 200
    doors.cert.write_text("not a certificate")
    after = certificate_of(doors)
    assert after != before and door("GET", "/v1/tiers").status == 200


def test_certificates_are_as_good_as_over_grpc(start_doors, tmp_path):
    callers, strangers = Authority(tmp_path, "callers"), Authority(tmp_path, "strangers")
    doors = start_doors(tls_client_ca=callers.cert, tls_clients="viewer.acme=viewer@acme")
    viewer = door_of(doors, own=callers.issue("viewer.acme"))
    assert viewer("GET", "/v1/stats?tenant=acme").status == 200
    assert viewer("POST", "/v1/check", {"user": "ann"}).status == 403
    assert door_of(doors, own=strangers.issue("viewer.acme"))("GET", "/v1/stats").status == 401
    assert door_of(doors)("GET", "/v1/tiers").status == 200


def test_a_session_that_began_over_tls_stays_there_and_counts_before_a_certificate(start_doors, tmp_path):
    callers = Authority(tmp_path, "callers")
    doors = start_doors(tls_client_ca=callers.cert, tls_clients="viewer.acme=viewer@acme")
    door = door_of(doors)
    key = door("POST", "/v1/keys", {"role": "operator"}).json["secret"]
    login = door("POST", "/login", {"key": key}, X_Bursar_Page="1", Host="bursar.example")
    assert login.status == 200 and login.headers["Set-Cookie"].endswith("; Secure")
    cookie = login.headers["Set-Cookie"].split(";")[0]
    own = callers.issue("viewer.acme")
    assert door_of(doors, own=own)("GET", "/session", Host="bursar.example").json["by"] == "certificate"
    assert door_of(doors, own=own, Cookie=cookie)("GET", "/session", Host="bursar.example").json["by"] == "session"


def test_a_certificate_can_be_required(start_doors, tmp_path):
    callers = Authority(tmp_path, "callers")
    doors = start_doors(tls_client_ca=callers.cert, tls_client_certs="required")
    assert door_of(doors)("GET", "/v1/tiers").status == 401
    assert door_of(doors, own=callers.issue("anyone"))("GET", "/v1/tiers").status == 200


def test_https_needs_a_certificate(redis, postgres):
    with pytest.raises(Exception, match="https_listen: needs tls_cert and tls_key"):
        Bursard(redis, postgres, https_listen=f"127.0.0.1:{free_port()}")


def test_plain_http_has_no_api_for_other_machines_unless_told_so(redis, postgres):
    for insecure, status in (("false", 404), ("true", 200)):
        server = Bursard(redis, postgres, start=False, env={"BURSAR_INSECURE_HTTP": insecure})
        server.options["http_listen"] = server.http_addr.replace("127.0.0.1", "0.0.0.0")
        server.start()
        door = Door(server.http_addr)
        assert door("GET", "/healthz").status == 200 and door("GET", "/v1/tiers").status == status
        server.stop()
