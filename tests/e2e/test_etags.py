"""ETag and If-Match of tiers, pools and accounts: who has not seen the present state changes nothing."""
import concurrent.futures

import grpc
import pytest

from bots import fails_with, unique
from web import Door

TAG = '"0123456789abcdef"'
PATHS = {"tier": "/v1/tiers/", "pool": "/v1/pools/", "account": "/v1/accounts/user/"}


def tier(tokens):
    return {"limits": [{"dimension": "tokens", "kind": "calendar", "window": "day", "amount": tokens}]}


CHANGES = {
    "tier": [("PUT", "", tier(n)) for n in (1, 2, 3)],
    "pool": [("PATCH", "", {"slots": n}) for n in (1, 2, 3)],
    "account": [("PATCH", "", {"tier": "pro"}), ("PUT", "/tier", {"tier": "free"}), ("POST", "/suspend", {"reason": "why"})],
}


class Thing:
    """A tier, a pool or an account behind a door, after its first change."""

    def __init__(self, kind, door, postgres):
        self.kind, self.name, self.door, self.postgres = kind, unique("thing"), door, postgres
        self.path = PATHS[kind] + self.name
        self.first = self.change(0)
        assert self.first.status == 200, self.first.text

    def change(self, n, door=None, **headers):
        method, path, body = CHANGES[self.kind][n]
        return (door or self.door)(method, self.path + path, body, **headers)

    def read(self, door=None, method="GET", **headers):
        return (door or self.door)(method, self.path, **headers)

    def audited(self):
        return self.postgres.value("SELECT count(*) FROM audit_log WHERE target LIKE %s", "%" + self.name)

    def refused(self, etag, n=1):
        """The change is refused for this etag, and changes nothing."""
        before, rows = self.read().json, self.audited()
        answer = self.change(n, If_Match=etag)
        assert answer.status == 412 and answer.json["code"] == 10, answer.text
        assert [detail["reason"] for detail in answer.json["details"]] == ["ETAG_MISMATCH"]
        assert "read it again" in answer.json["message"]
        assert (self.read().json, self.audited()) == (before, rows)


@pytest.fixture(name="door")
def door_of_bursard(bursard):
    return Door(bursard.http_addr)


@pytest.fixture(name="thing", params=["tier", "pool", "account"])
def thing_of_kind(request, door, postgres):
    return Thing(request.param, door, postgres)


def test_who_has_seen_the_state_may_change_it_and_others_may_not(thing):
    first = thing.read().headers["ETag"]
    assert first == thing.first.headers["ETag"] == f'"{thing.first.json["etag"]}"' == f'"{thing.read().json["etag"]}"'
    changed = thing.change(1, If_Match=first)
    second = changed.headers["ETag"]
    assert changed.status == 200 and second not in (None, first) and thing.read().headers["ETag"] == second
    thing.refused(first, 2)
    assert thing.change(2, If_Match=second).status == 200
    assert thing.change(0).status == 200, "without the header nothing is compared"


def test_any_a_list_and_a_weak_one(thing):
    for n, wrap in enumerate(("*", f"{TAG}, %s", "W/%s", f"W/{TAG} , W/%s", "%s,")):
        etag = thing.read().headers["ETag"]
        assert thing.change(n % 3, If_Match=wrap.replace("%s", etag)).status == 200, wrap
    thing.refused(TAG)
    thing.refused(f'{TAG}, W/"1", "*"')


def test_what_does_not_exist_matches_nothing(door, postgres):
    for kind in ("tier", "pool", "account"):
        method, _, body = CHANGES[kind][0]
        name = unique("new")
        for etag in ("*", TAG):
            answer = door(method, PATHS[kind] + name, body, If_Match=etag)
            assert answer.status == 412 and "does not exist" in answer.json["message"], answer.text
        assert postgres.value("SELECT count(*) FROM audit_log WHERE target LIKE %s", "%" + name) == 0
    unknown = door("GET", PATHS["account"] + unique("never"))
    assert unknown.json["etag"] == "" and unknown.headers["ETag"] is None


def test_deleting_compares_too(thing):
    if thing.kind == "pool":
        assert thing.door("POST", thing.path + "/resume", {}, If_Match=TAG).status == 412
        return
    assert thing.door("DELETE", thing.path, If_Match=TAG).status == 412
    assert thing.door("DELETE", thing.path, If_Match=thing.read().headers["ETag"]).status == 200


def test_a_header_that_is_no_list_is_refused(thing):
    for wrong in ("", ",", '"abc', 'W/', 'ab"c', '"a" "b"'):
        answer = thing.change(1, If_Match=wrong)
        assert answer.status == 400 and answer.json["message"].startswith("If-Match: "), wrong
    assert thing.read().headers["ETag"] == thing.first.headers["ETag"]


def test_of_two_who_have_seen_the_same_exactly_one_wins(thing, start_bursard, until):
    """Also over two bursards, which give the same state the same etag (a tier's once both have loaded the change)."""
    doors = [thing.door, Door(start_bursard().http_addr)]
    etag = thing.first.headers["ETag"]
    for _ in range(4):
        until(lambda: [thing.read(door).headers["ETag"] for door in doors] == [etag] * 2)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(thing.change, n % 2 + 1, doors[n % 2], If_Match=etag) for n in range(8)]
        answers = [answer.result() for answer in answers]
        assert sorted(answer.status for answer in answers) == [200] + [412] * 7
        etag = next(answer.headers["ETag"] for answer in answers if answer.status == 200)


def test_who_has_the_state_is_not_sent_it_again(thing):
    etag = thing.read().headers["ETag"]
    for known in (etag, "W/" + etag, f"{TAG}, {etag}", "*"):
        answer = thing.read(If_None_Match=known)
        assert (answer.status, answer.text, answer.headers["ETag"]) == (304, "", etag)
    assert thing.read(method="HEAD", If_None_Match=etag).status == 304
    for other in (TAG, '"', ""):
        assert thing.read(If_None_Match=other).json["etag"] == etag.strip('"')
    assert thing.change(1, If_None_Match=etag).status == 200


def test_lists_and_documents(door, bots, postgres):
    """Lists of tiers and pools have etags; a document describes what is wanted, and has none."""
    for kind, path in (("tier", "/v1/tiers"), ("pool", "/v1/pools")):
        thing = Thing(kind, door, postgres)
        rows = door("GET", path).json[kind + "s"]
        assert [row["etag"] for row in rows if thing.name in str(row)] == [thing.first.json["etag"]]
    exported = bots.admin.Export(bots.admin_pb.ExportRequest(), timeout=20)
    assert exported.tiers and exported.pools and {part.etag for part in [*exported.tiers, *exported.pools]} == {""}


def test_the_same_over_grpc(bots):
    pb, name, user = bots.admin_pb, unique("tier"), unique("user")
    etag = bots.admin.PutTier(pb.PutTierRequest(tier=pb.Tier(name=name)), timeout=20).etag

    def put(if_match, **fields):
        return bots.admin.PutTier(pb.PutTierRequest(tier=pb.Tier(name=name, **fields)), metadata=(("if-match", if_match),), timeout=20)

    second = put(etag, pool_priority=2)
    assert second.etag not in ("", etag) and bots.admin.GetTier(pb.GetTierRequest(name=name), timeout=20) == second
    fails_with(grpc.StatusCode.ABORTED, put, f'"{etag}"')
    fails_with(grpc.StatusCode.INVALID_ARGUMENT, put, '"')
    assert put("*", etag=etag).etag not in ("", etag, second.etag), "the field is not read"
    put_account = pb.PutAccountRequest(ref=bots.key(user), tier="pro")
    account = bots.admin.PutAccount(put_account, timeout=20)
    assert bots.admin.GetAccount(pb.GetAccountRequest(ref=bots.key(user)), timeout=20).etag == account.etag
    fails_with(grpc.StatusCode.ABORTED, bots.admin.PutAccount, put_account, metadata=(("if-match", etag),), timeout=20)


def test_a_shipped_tier_is_changed_by_its_etag(door):
    etag = door("GET", "/v1/tiers/pro").headers["ETag"]
    assert door("PUT", "/v1/tiers/pro", tier(5), If_Match=TAG).status == 412
    own = door("PUT", "/v1/tiers/pro", tier(5), If_Match=etag)
    assert own.status == 200 and own.headers["ETag"] != etag
    assert door("DELETE", "/v1/tiers/pro", If_Match=own.headers["ETag"]).status == 200
    assert door("GET", "/v1/tiers/pro").headers["ETag"] == etag
