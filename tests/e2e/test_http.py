"""The door: every RPC over HTTP, with the statuses and headers that clients act on."""
import http.client
import json

import pytest

from bots import unique
from doors import Door


@pytest.fixture
def door(bursard):
    return Door(bursard.http_addr)


def test_a_check_and_its_record(door, bots):
    user = bots.user_with(bots.calendar("day", "tokens", 1000))
    checked = door("POST", "/v1/check", {"user": user, "model": "gpt-4o", "input_tokens": 100, "maxOutputTokens": "200"})
    assert checked.status == 200 and checked.json["allowed"] is True and checked.json["held_tokens"] == "300"
    recorded = door("POST", "/v1/record", {"reservation": {"handle": checked.json["reservation"]},
                                           "usage": {"input_tokens": 100, "output_tokens": 50}})
    assert recorded.status == 200, recorded.text
    status = door("GET", f"/v1/status?user={user}").json
    assert [row["used"] for account in status["accounts"] for row in account["limits"] if row["limit"]["name"] == "day"] == ["150"]


def test_a_denial_is_429_with_the_headers_that_clients_act_on(door, bots):
    user = bots.user_with(bots.bucket("rpm", "requests", 1))
    assert door("POST", "/v1/check", {"user": user}).status == 200
    denied = door("POST", "/v1/check", {"user": user})
    assert denied.status == 429 and denied.json["allowed"] is False and denied.json["reason"] == "REASON_REQUEST_RATE"
    assert 1 <= int(denied.headers["Retry-After"]) <= 60 and denied.headers["X-Bursar-Reason"] == "request_rate"
    assert denied.headers["X-RateLimit-Remaining"] == "0" and denied.headers["RateLimit"]
    assert door("POST", "/v1/check?deny_status=403", {"user": user}).status == 403
    legacy = door("POST", "/v1/check?headers=legacy", {"user": user})
    assert legacy.headers["X-RateLimit-Limit"] and not legacy.headers["RateLimit"] and legacy.headers["Retry-After"]


def test_errors_are_statuses_with_what_is_wrong(door):
    wrong = door("POST", "/v1/check", {"usr": "x"})
    assert wrong.status == 400 and wrong.json["code"] == 3 and "usr" in wrong.json["message"]
    assert wrong.json["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert door("POST", "/v1/check", "{").status == 400
    assert door("GET", "/v1/nothing").status == 404
    other = door("GET", "/v1/check")
    assert other.status == 405 and other.headers["Allow"] == "POST"
    assert door("GET", "/v1/tiers/none").status == 404
    assert door("POST", "/v1/check", "{}", Content_Type="text/plain").status == 400


def test_a_page_of_another_site_is_not_a_caller(door):
    assert door("GET", "/v1/tiers").status == 200
    assert door("GET", "/v1/tiers", Origin=f"http://{door.address}").status == 200
    assert door("GET", "/v1/tiers", Origin="http://evil.example").status == 401
    assert door("GET", "/v1/tiers", Host="evil.example").status == 401


def test_a_stream_is_events_or_lines(door, bots):
    user = bots.user_with(bots.bucket("rpm", "requests", 100))
    for accept, begin in (("text/event-stream", "data: {"), ("application/x-ndjson", "{")):
        connection = http.client.HTTPConnection(door.address, timeout=20)
        connection.request("POST", "/v1/acquire", json.dumps({"check": {"user": user}}),
                           {"Accept": accept, "Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200 and response.headers.get_content_type() == accept
        line = response.readline().decode()
        assert line.startswith(begin) and json.loads(line[len(begin) - 1:])
        connection.close()
