"""/v1/authorize: the check of proxies that ask before they pass a request on."""
import http.client

import pytest

from bots import unique
from web import Door, key_of


@pytest.fixture
def door(bursard):
    return Door(bursard.http_addr)


def test_an_allowed_request_is_200_without_a_body_and_holds_nothing_afterwards(door, bots):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    answer = door("GET", "/v1/authorize", X_Bursar_User=user)
    assert answer.status == 200 and answer.text == "" and answer.headers["X-RateLimit-Remaining"] == "9"
    assert answer.headers["X-Bursar-Request-Id"] and "X-Bursar-Reservation" not in answer.headers
    day = bots.figures(user)[(1, "day")]
    assert (day.used, day.held) == (1, 0)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_any_method_will_do_and_the_body_is_not_read(door, method):
    assert door(method, "/v1/authorize", "\0 not JSON", Content_Type="text/plain", X_Bursar_User="ann").status == 200


def test_a_denial_is_429_with_headers_and_a_body_that_sdks_read(door, bots):
    user = bots.user_with(bots.bucket("rpm", "requests", 1))
    assert door("GET", "/v1/authorize", X_Bursar_User=user).status == 200
    denied = door("GET", "/v1/authorize", X_Bursar_User=user)
    assert denied.status == 429 and 1 <= int(denied.headers["Retry-After"]) <= 60 and denied.headers["X-Bursar-Reason"] == "request_rate"
    assert denied.json["error"]["code"] == "request_rate" and denied.json["error"]["message"]
    forbidden = door("GET", "/v1/authorize?deny_status=403&headers=legacy", X_Bursar_User=user)
    assert forbidden.status == 403 and forbidden.headers["Retry-After"] and not forbidden.headers["RateLimit"]


def test_who_will_not_pass_by_waiting_is_forbidden(door, bots):
    user = unique("user")
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(user)), timeout=10)
    denied = door("GET", "/v1/authorize", X_Bursar_User=user)
    assert denied.status == 403 and denied.json["error"]["code"] == "suspended" and not denied.headers["Retry-After"]


def test_the_query_says_which_headers_are_read(door, bots):
    user = bots.user_with(bots.calendar("tokens", "tokens", 10**6), bots.calendar("cost", "cost", 10**10))
    path = "/v1/authorize?user_header=X-User&model_header=X-Model&input_tokens_header=X-In&max_output_tokens_header=X-Out&interface=proxy"
    assert door("POST", path, X_User=user, X_Model="gpt-4o", X_In="1000", X_Out="100").status == 200
    assert bots.used(user, "tokens") == 1100 and bots.used(user, "cost") == 3_500_000
    assert door("GET", path, X_User=user, X_In="many").status == 400
    assert door("GET", f"/v1/authorize?user={user}&model=gpt-4o&input_tokens=5").status == 200
    assert bots.used(user, "tokens") == 1105


def test_what_a_caller_can_send_is_not_read_unless_the_query_names_it(door, bots):
    user = bots.user_with(bots.calendar("day", "requests", 10), bots.calendar("tokens", "tokens", 1000))
    for _ in range(2):
        assert door("GET", "/v1/authorize", X_Bursar_User=user, X_Bursar_Request_Id="same", X_Bursar_Input_Tokens="999").status == 200
    assert bots.used(user, "day") == 2 and bots.used(user, "tokens") == 0
    for _ in range(2):
        assert door("GET", "/v1/authorize?request_id_header=x-request-id", X_Bursar_User=user, X_Request_Id="one").status == 200
    assert bots.used(user, "day") == 3


def test_a_reservation_is_kept_open_for_an_app_that_records(door, bots):
    user = bots.user_with(bots.calendar("tokens", "tokens", 10_000))
    answer = door("GET", "/v1/authorize?hold=true", X_Bursar_User=user)
    assert bots.figures(user)[(1, "tokens")].held == 1000
    bots.record(ref=bots.types.ReservationRef(handle=answer.headers["X-Bursar-Reservation"]), input_tokens=7)
    assert bots.figures(user)[(1, "tokens")].used == 7


@pytest.mark.parametrize("path, headers, says", [
    ("/v1/authorize", {}, "x-bursar-user"), ("/v1/authorize?user_header=X-Who", {"X-Bursar-User": "ann"}, "x-who"),
    ("/v1/authorize?user_heade=X", {}, "did you mean user_header"), ("/v1/authorize?deny_status=500", {}, "deny_status"),
    ("/v1/authorize?headers=all", {}, "headers"), ("/v1/authorize?hold=1", {}, "hold"), ("/v1/authorize?user=%zz", {}, "user")])
def test_a_wrong_set_up_is_400_and_says_what_is_wrong(door, path, headers, says):
    answer = door("GET", path, **headers)
    assert answer.status == 400 and says in answer.json["message"], answer.text


def test_a_header_that_is_there_twice_is_refused(door):
    connection = http.client.HTTPConnection(door.address, timeout=20)
    connection.putrequest("GET", "/v1/authorize")
    connection.putheader("X-Bursar-User", "ann")
    connection.putheader("x-bursar-user", "ben")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_a_wrong_key_is_the_proxys_fault_and_not_its_callers(door, bots):
    key, _ = key_of(bots, 2)
    assert door("GET", "/v1/authorize", X_Bursar_User="ann", Authorization=f"Bearer {key}").status == 200
    wrong = door("GET", "/v1/authorize", X_Bursar_User="ann", Authorization="Bearer bsk_wrong")
    assert wrong.status == 500 and not wrong.headers["WWW-Authenticate"] and wrong.json["code"] == 16
