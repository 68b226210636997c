"""The door: every RPC over HTTP, with the statuses and headers that clients act on."""
import gzip
import http.client
import json

import pytest

from web import Door


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
    assert door("GET", "/v1/tiers", Origin="http://evil.example").status == 403
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


def test_the_dashboard_is_served_with_a_strict_policy(door):
    page = door("GET", "/")
    assert page.status == 200 and page.headers.get_content_type() == "text/html" and "<script type=\"module\"" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"] and "unsafe" not in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"] and page.headers["X-Content-Type-Options"] == "nosniff"
    assert door("GET", "/", If_None_Match=page.headers["ETag"]).status == 304
    assert door("GET", "/main.js").headers.get_content_type() == "text/javascript"
    assert door("GET", "/../main.js").status == door("GET", "/lib/").status == door("POST", "/", {}).status == 404


def test_large_answers_are_compressed_for_those_who_accept_it(door):
    plain = door("GET", "/openapi.json")
    assert plain.headers["Content-Encoding"] is None and plain.json["openapi"].startswith("3.1")
    connection = door.connect()
    connection.request("GET", "/openapi.json", headers={"Accept-Encoding": "br, gzip"})
    answer = connection.getresponse()
    assert answer.headers["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(answer.read())) == plain.json
    connection.close()
    assert door("GET", "/openapi.json", Accept_Encoding="gzip;q=0").json == plain.json


def test_pages_of_other_sites_may_call_if_they_are_configured(start_bursard, door):
    friend = "https://app.example"
    assert door("GET", "/v1/tiers", Origin=friend).headers["Access-Control-Allow-Origin"] is None
    open_door = Door(start_bursard(cors_origins=f"https://other.example {friend}", embed_origins=friend).http_addr)
    asked = open_door("OPTIONS", "/v1/check", Origin=friend, Access_Control_Request_Method="POST")
    assert asked.status == 204 and asked.headers["Access-Control-Allow-Origin"] == friend
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert asked.headers["Access-Control-Allow-Credentials"] is None
    without_a_key = open_door("GET", "/v1/tiers", Origin=friend)
    assert without_a_key.status == 401 and without_a_key.headers["Access-Control-Allow-Origin"] == friend
    for stranger in ("https://app.example.evil", "https://app", "null"):
        refused = open_door("GET", "/v1/tiers", Origin=stranger)
        assert refused.status == 403 and refused.headers["Access-Control-Allow-Origin"] is None
    assert f"frame-ancestors {friend}" in open_door("GET", "/").headers["Content-Security-Policy"]


def test_an_idempotency_key_is_the_request_id(door, bots):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    first, again = (door("POST", "/v1/check", {"user": user}, Idempotency_Key="order-7").json for _ in range(2))
    assert first["request_id"] == again["request_id"] == "order-7" and (first["repeat"], again["repeat"]) == (False, True)
    assert bots.figures(user)[(bots.types.ACCOUNT_KIND_USER, "day")].held == 1
    assert door("POST", "/v1/check", {"user": user, "request_id": "order-7"}, Idempotency_Key="order-7").status == 200
    assert door("POST", "/v1/check", {"user": user, "request_id": "x"}, Idempotency_Key="order-7").status == 400
    poll = {"check": {"user": user}, "poll": True}
    lines = [json.loads(door("POST", "/v1/acquire", poll, Idempotency_Key="job-1", Accept="application/x-ndjson").text) for _ in range(2)]
    assert lines[0]["check"]["request_id"] == "job-1" and lines[0]["granted"]["lease"] == lines[1]["granted"]["lease"], lines
    assert door("POST", "/v1/acquire", {"check": {"user": user, "request_id": "x"}}, Idempotency_Key="job-1").status == 400
