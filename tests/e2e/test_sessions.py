"""Logins to the dashboard: sessions by key and by link, what they may do, and what ends them."""
import base64
import datetime
import http.cookies
import re

import grpc
import pytest

from harness import protos, run_bursar
from harness.paths import ROOT
from test_keys import BOT, OPERATOR, THEIRS, USER, VIEWER, Caller, House, code_of, refusal
from web import Door

Code = grpc.StatusCode
HOUR = 3_600_000_000
pb = protos.admin_pb2
BY_NOTHING, BY_KEY = 1, 2
PAGE = {"X_Bursar_Page": "1"}


@pytest.fixture
def house(bots):
    return House(bots)


@pytest.fixture
def door(bursard):
    return Door(bursard.http_addr)


def cookie_of(answer):
    """The cookie that the answer sets: a Morsel."""
    return http.cookies.SimpleCookie(answer.headers["Set-Cookie"])["bursar_session"]


def log_in(door, secret, **headers):
    answer = door("POST", "/login", {"key": secret}, **PAGE, **headers)
    assert answer.status == 200, answer.text
    return Door(door.address, Cookie="bursar_session=" + cookie_of(answer).value)


def reason_of(answer):
    return next((detail["reason"] for detail in answer.json["details"] if "reason" in detail), None)


def link_of(caller):
    return caller.CreateLogin(pb.CreateLoginRequest())


# Who is calling

def test_a_caller_learns_who_they_are(bots):
    anonymous = bots.admin.GetCaller(pb.GetCallerRequest())
    assert (anonymous.role, anonymous.by, anonymous.tenant, anonymous.key_id) == (OPERATOR, BY_NOTHING, "", 0)
    house = House(bots)
    alice = house.callers["user"].GetCaller(pb.GetCallerRequest())
    assert (alice.role, alice.by, alice.tenant, alice.user) == (USER, BY_KEY, "ours", "alice")
    ends = house.create("bot", expires_at_us=4_000_000_000_000_000, interfaces=["telegram", "web"], label="the bot")
    bot = Caller(bots, house.secrets[-1]).GetCaller(pb.GetCallerRequest())
    assert (bot.role, list(bot.interfaces), bot.label, bot.key_id) == (BOT, ["telegram", "web"], "the bot", ends.key.id)
    assert bot.expires_at_us == 4_000_000_000_000_000


def test_asking_without_a_key_is_not_counted_as_guessing(house, bursard):
    before = bursard.metric("logins_failed_total")
    for _ in range(15):
        assert refusal(house.nobody.GetCaller, pb.GetCallerRequest())[0] == Code.UNAUTHENTICATED
    assert bursard.metric("logins_failed_total") == before
    wrong = Caller(house.bots, "bsk_" + "A" * 43)
    assert refusal(wrong.GetCaller, pb.GetCallerRequest())[0] == Code.UNAUTHENTICATED
    assert bursard.metric("logins_failed_total") == before + 1


def test_no_login_is_needed_while_no_key_exists(bots, door):
    assert door("GET", "/session").json["by"] == "nothing"
    answer = bots.admin.CreateLogin(pb.CreateLoginRequest())
    assert (answer.code, answer.path) == ("", "/")
    assert refusal(bots.admin.CreateSession, pb.CreateSessionRequest())[0] == Code.FAILED_PRECONDITION


# Beginning

def test_a_login_by_key_sets_a_cookie_that_only_the_server_reads(house, door):
    answer = door("POST", "/login", {"key": house.secrets[0]}, **PAGE)
    cookie = cookie_of(answer)
    assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
    assert cookie.value.startswith("bss_") and cookie.value not in answer.text
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/" and not cookie["secure"]
    assert not cookie["domain"] and 43_190 <= int(cookie["max-age"]) <= 43_200
    who = Door(door.address, Cookie=f"theme=dark; bursar_session={cookie.value}; a=b")("GET", "/session")
    assert (who.json["role"], who.json["tenant"], who.json["user"], who.json["by"]) == ("operator", "", "", "session")
    proxied = door("POST", "/login", {"key": house.secrets[0]}, **PAGE, Host="bursar.example", X_Forwarded_Proto="https")
    assert proxied.status == 200 and cookie_of(proxied)["secure"]


def test_a_wrong_key_begins_no_session(house, door):
    wrong = door("POST", "/login", {"key": "bsk_" + "A" * 43}, **PAGE)
    assert wrong.status == 401 and not wrong.headers["Set-Cookie"]
    for body in ('{"key": 7}', "{}", "[]", "{", '{"key": "a", "tenant": "b"}', ""):
        assert door("POST", "/login", body, **PAGE).status == 400, body
    assert door("POST", "/login", {"key": house.secrets[0]}).status == 403
    assert door("POST", "/login", {"key": house.secrets[0]}, **PAGE, Content_Type="text/plain").status == 400
    other = door("DELETE", "/login")
    assert other.status == 405 and other.headers["Allow"] == "GET, POST"


def test_a_session_lasts_no_longer_than_its_key(house, door, stack):
    ends = stack.redis_server.time_us() + HOUR
    house.create("viewer", expires_at_us=ends)
    session = log_in(door, house.secrets[-1])
    assert session("GET", "/session").json["expires_at_us"] == ends


def test_a_link_logs_in_once(house, door):
    link = link_of(house.callers["admin"])
    assert link.path == "/login?code=" + link.code and link.code.startswith("blc_")
    first = door("GET", link.path)
    assert first.status == 303 and first.headers["Location"] == "/" and first.headers["Referrer-Policy"] == "no-referrer"
    session = Door(door.address, Cookie="bursar_session=" + cookie_of(first).value)
    who = session("GET", "/session").json
    assert (who["role"], who["tenant"], who["by"]) == ("admin", "ours", "session")
    second = door("GET", link.path)
    assert second.status == 401 and "used before" in second.text and not second.headers["Set-Cookie"]
    assert second.headers["Content-Type"].startswith("text/plain")
    for path in ("/login", "/login?code=", "/login?code=" + "x" * 129, "/login?code=%ff"):
        assert door("GET", path).status == 400, path


def test_a_link_works_for_ten_minutes(house, door, stack):
    link = link_of(house.operator)
    assert abs(link.expires_at_us - stack.redis_server.time_us() - 600_000_000) < 60_000_000
    with stack.sql() as sql:
        sql.execute("UPDATE logins SET expires_at = expires_at - interval '10 minutes'")
    assert refusal(house.nobody.RedeemLogin, pb.RedeemLoginRequest(code=link.code))[0] == Code.UNAUTHENTICATED
    link_of(house.operator)
    with stack.sql() as sql:
        sql.execute("SELECT count(*) FROM logins")
        assert sql.fetchone() == (1,), "what is over does not pile up"


def test_a_key_has_ten_links_at_most(house, stack):
    links = [link_of(house.callers["viewer"]) for _ in range(11)]
    link_of(house.operator)
    with stack.sql() as sql:
        sql.execute("SELECT count(*) FROM logins GROUP BY key ORDER BY 1")
        assert sql.fetchall() == [(1,), (10,)]
    assert house.nobody.RedeemLogin(pb.RedeemLoginRequest(code=links[10].code)).caller.role == VIEWER
    assert refusal(house.nobody.RedeemLogin, pb.RedeemLoginRequest(code=links[0].code))[0] == Code.UNAUTHENTICATED


def test_guessed_codes_are_refused_before_they_reach_postgresql(start_bursard, fleet_at):
    house = House(fleet_at(start_bursard(workers=1).grpc_addr))
    codes = [code_of(house.nobody.RedeemLogin, pb.RedeemLoginRequest(code=f"blc_{i:043}")) for i in range(12)]
    assert codes == [Code.UNAUTHENTICATED] * 10 + [Code.RESOURCE_EXHAUSTED] * 2
    link = link_of(house.operator)
    assert code_of(house.nobody.RedeemLogin, pb.RedeemLoginRequest(code=link.code)) == Code.RESOURCE_EXHAUSTED


def test_a_session_begins_no_other_session(house, door):
    session = log_in(door, house.secrets[0])
    for path in ("/v1/logins", "/v1/sessions"):
        answer = session("POST", path, {}, **PAGE)
        assert answer.status == 400 and reason_of(answer) == "NEEDS_KEY"


# What it may do

PATHS = [path for _, path in re.findall(r'^PATH\(\w+, (\w+), GET, "(/[^"{]*)"', (ROOT / "server/api/rest/paths.def").read_text(), re.M)]


def test_a_session_may_read_what_its_key_may(house, door):
    assert len(PATHS) > 10
    wrong = []
    for secret, role in zip(house.secrets, ("operator", "user", "bot", "viewer", "admin")):
        session, key = log_in(door, secret), Door(door.address, Authorization="Bearer " + secret)
        statuses = {path: (session("GET", path).status, key("GET", path).status) for path in PATHS}
        wrong += [f"{path} by {role}: {pair}" for path, pair in statuses.items() if pair[0] != pair[1]]
        assert statuses["/v1/tiers"][0] == (200 if role in ("viewer", "admin", "operator") else 403)
        assert statuses["/v1/tenants"][0] == (200 if role == "operator" else 403)
        assert statuses["/v1/keys"][0] == (200 if role in ("admin", "operator") else 403)
        assert statuses["/v1/caller"][0] == 200
    assert not wrong, "\n".join(wrong)


def test_a_session_is_held_to_its_keys_tenant_and_user(house, door):
    admin, alice = log_in(door, house.secrets[4]), log_in(door, house.secrets[1])
    assert admin("GET", "/v1/stats?tenant=" + THEIRS).status == 403
    assert alice("GET", "/v1/status").json["accounts"][0]["id"] == "alice"
    assert alice("GET", "/v1/status?user=bob").status == 403


def test_a_change_by_a_session_is_in_the_audit_log(house, door):
    session = log_in(door, house.secrets[4])
    assert session("PUT", "/v1/accounts/user/ann/tier", {"tier": "pro", "reason": "paid"}, **PAGE).status == 200
    entries = house.callers["admin"].ListAudit(pb.ListAuditRequest(action="account.change")).entries
    assert re.match(r"key 5 in the dashboard from ipv4:127\.0\.0\.1:\d+$", entries[0].actor) and entries[0].reason == "paid"
    link_of(house.operator)
    made = house.operator.ListAudit(pb.ListAuditRequest(all_tenants=True, action="login.")).entries
    assert [(entry.action, entry.target) for entry in made] == [("login.create", "1")]


def test_over_grpc_a_session_is_nothing(house):
    text = house.operator.CreateSession(pb.CreateSessionRequest()).session
    for metadata in (("cookie", "bursar_session=" + text), ("bursar-session", text), ("authorization", "Bearer " + text)):
        assert code_of(house.nobody.ListTiers, pb.ListTiersRequest(), metadata=[metadata]) in (
            Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED), metadata


# What a page of another site may do

def test_only_the_page_itself_changes_something_with_a_session(house, door):
    session = log_in(door, house.secrets[0])
    here = f"http://{door.address}"
    tier = {"tier": "pro"}
    for headers, status in (({}, 403), ({"X_Bursar_Page": "0"}, 403), (PAGE, 200), ({**PAGE, "Origin": here}, 200),
                            ({**PAGE, "Origin": "http://evil.example"}, 403), ({**PAGE, "Origin": "null"}, 403)):
        answer = session("PUT", "/v1/accounts/user/ann/tier", tier, **headers)
        assert answer.status == status, headers
        assert status == 200 or reason_of(answer) == "FOREIGN_PAGE"
    for headers, status in (({}, 200), ({"Origin": here}, 200), ({"Origin": "http://evil.example"}, 403)):
        assert session("GET", "/v1/tiers", **headers).status == status, headers
    key = Door(door.address, Authorization="Bearer " + house.secrets[0])
    assert key("PUT", "/v1/accounts/user/ann/tier", tier).status == 200
    for path, body in (("/login", {"key": house.secrets[0]}), ("/logout", None)):
        assert session("POST", path, body).status == 403
        assert session("POST", path, body, **PAGE, Origin="http://evil.example").status == 403


def test_a_name_of_another_site_that_leads_here_proves_nothing(door, bots):
    """DNS rebinding: the page is its own origin, so it may send whatever it likes; but it cannot choose the Host."""
    for headers in ({}, {"Cookie": "bursar_session=x"}, {"Authorization": "Bearer x"}, {"Cookie": "bursar_session=x", **PAGE}):
        for method, path, body in (("GET", "/v1/tiers", None), ("GET", "/session", None), ("POST", "/v1/check", {"user": "ann"})):
            answer = door(method, path, body, Host="evil.example", Origin="http://evil.example", **headers)
            assert answer.status in (401, 403, 429), (headers, path)
    assert door("GET", "/v1/tiers", Cookie="bursar_session=x").status == 200, "an old cookie does not lock out"
    house = House(bots)
    session = log_in(door, house.secrets[0])
    assert session("GET", "/v1/tiers", Host="bursar.example").status == 200, "a session is a proof under any name"


# Its end

def test_a_changed_session_is_forgotten_by_the_browser(house, door):
    session = log_in(door, house.secrets[0])
    text = session.headers["Cookie"]
    answer = Door(door.address, Cookie=text[:-1] + ("A" if text[-1] != "A" else "B"))("GET", "/session")
    assert answer.status == 401
    assert cookie_of(answer).value == "" and cookie_of(answer)["max-age"] == "0"


def test_a_logout_makes_the_browser_forget(house, door):
    answer = log_in(door, house.secrets[0])("POST", "/logout", **PAGE)
    assert answer.status == 204 and cookie_of(answer).value == "" and cookie_of(answer)["max-age"] == "0"


def events(door, path):
    connection = door.connect()
    connection.request("GET", path, headers=door.headers)
    response = connection.getresponse()
    assert response.status == 200
    assert response.readline().startswith(b"data: ")
    return response


def test_a_revoked_key_ends_its_sessions_everywhere(start_bursard, fleet_at, until):
    servers = [start_bursard(workers=1) for _ in range(2)]
    house = House(fleet_at(servers[0].grpc_addr))
    made = house.create("viewer")
    here, there = (Door(server.http_addr) for server in servers)
    session = log_in(here, house.secrets[-1])
    there.headers = session.headers
    until(lambda: (there("GET", "/session").json or {}).get("by") == "session")
    stream = events(there, "/v1/pools/agent-execution/watch")
    house.operator.RevokeKey(pb.RevokeKeyRequest(id=made.key.id))
    assert session("GET", "/session").status == 401
    until(lambda: there("GET", "/session").status == 401)
    assert "revoked" in there("GET", "/session").json["message"]
    rest = stream.read().decode()  # to its end
    assert "event: error" in rest and "the key was revoked" in rest


def test_a_session_ends_after_twelve_hours_with_its_streams(clock, start_bursard, fleet_at):
    clock.set(datetime.datetime(2027, 3, 10, 12, 0, tzinfo=datetime.timezone.utc))
    server = start_bursard(clock=clock, workers=1)
    house = House(fleet_at(server.grpc_addr))
    session = log_in(Door(server.http_addr), house.secrets[0])
    stream = events(session, "/v1/pools/agent-execution/watch")
    clock.advance(12 * 3600 - 60)
    assert session("GET", "/session").status == 200
    clock.advance(61)
    answer = session("GET", "/session")
    assert answer.status == 401 and answer.json["message"] == "the session has ended: log in again"
    assert "the session has ended" in stream.read().decode()
    assert cookie_of(answer)["max-age"] == "0"


def test_a_session_outlives_the_bursard_that_made_it(start_bursard, fleet_at):
    first = start_bursard(workers=1, session_hours=1)
    house = House(fleet_at(first.grpc_addr))
    session = log_in(Door(first.http_addr), house.secrets[0])
    first.stop()
    second = start_bursard(workers=1)
    assert Door(second.http_addr, **session.headers)("GET", "/session").json["role"] == "operator"


def signer_of(session):
    return base64.urlsafe_b64decode(session.headers["Cookie"].split("=bss_")[1])[1:9]


def test_a_signer_is_replaced_each_day_and_its_sessions_go_on(clock, start_bursard, fleet_at, until, stack):
    clock.set(datetime.datetime(2027, 3, 10, 12, 0, tzinfo=datetime.timezone.utc))
    with stack.sql() as sql:
        sql.execute("INSERT INTO session_signers SELECT decode(lpad(i::text, 64, '0'), 'hex'), now() - i * interval '1 minute' "
                    "FROM generate_series(1, 1005) i")
        sql.execute("INSERT INTO session_signers VALUES (decode(repeat('ab', 32), 'hex'), now() - interval '10 days')")
    server = start_bursard(clock=clock, workers=1, session_hours=48)

    def signers():
        with stack.sql() as sql:
            sql.execute("SELECT count(*), bool_or(made_at < now() - interval '9 days') FROM session_signers")
            return sql.fetchone()

    assert signers() == (1000, False), "neither old ones nor too many stay"
    house, door = House(fleet_at(server.grpc_addr)), Door(server.http_addr)
    session = log_in(door, house.secrets[0])
    clock.advance(24 * 3600 + 1)
    until(lambda: signer_of(log_in(door, house.secrets[0])) != signer_of(session))
    assert session("GET", "/session").status == 200


# Secrets

def test_neither_a_dump_nor_the_log_has_what_opens_a_session(house, door, stack, bursard):
    link, session = link_of(house.operator), log_in(door, house.secrets[0])
    text = session.headers["Cookie"].split("=")[1]
    used = link_of(house.operator)
    door("GET", used.path)
    door("GET", "/login?code=" + "blc_" + "B" * 43)
    log = bursard.log()
    for secret in (link.code, used.code, text, house.secrets[0], "B" * 43):
        assert secret[4:] not in log
    with stack.sql() as sql:
        for table in ("logins", "session_signers", "audit_log"):
            sql.execute(f"SELECT t::text FROM {table} t")
            assert not any(secret[4:] in row for (row,) in sql.fetchall() for secret in (link.code, used.code, text))
        sql.execute("SELECT encode(hash, 'hex'), encode(hash, 'base64') FROM logins")
        for row in sql.fetchall():
            for stored in row:
                assert code_of(house.nobody.RedeemLogin, pb.RedeemLoginRequest(code=stored)) in (Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED)
        sql.execute("SELECT DISTINCT octet_length(public_key) FROM session_signers")
        assert sql.fetchall() == [(32,)], "a public key, and no secret beside it"


# The command line

def test_the_command_line_prints_the_link(house, bursard, door):
    url = f"http://{door.address}"
    said = run_bursar(bursard.grpc_addr, "dashboard", "--url", url + "/", BURSAR_KEY=house.secrets[0])
    assert said.returncode == 0, said.stderr
    link = said.stdout.splitlines()[0]
    assert link.startswith(url + "/login?code=blc_")
    assert door("GET", link[len(url):]).status == 303
    who = run_bursar(bursard.grpc_addr, "whoami", BURSAR_KEY=house.secrets[1]).stdout
    assert "user" in who and "alice" in who
