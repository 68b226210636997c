"""Lists of accounts: filters through the RPC and the command line."""
import functools
import json

import grpc
import pytest

from bots import fails_with, unique


@pytest.fixture
def bursar(bursar):
    return functools.partial(bursar, "account", "list")


@pytest.fixture
def people(bots):
    """Five users whose ids begin alike, each of its own state."""
    prefix, pb = unique("people") + "-", bots.admin_pb
    for name, fields in (("ann", {"tier": "pro", "team": prefix + "red"}), ("ben", {"tier": "free"}), ("cat", {}), ("dan", {"org": "acme"}), ("eve", {})):
        bots.account(prefix + name, **fields)
    bots.admin.Suspend(pb.SuspendRequest(ref=bots.key(prefix + "ben")), timeout=20)
    bots.admin.SetBypass(pb.SetBypassRequest(ref=bots.key(prefix + "cat"), bypass=True), timeout=20)
    bots.admin.DeleteAccount(pb.DeleteAccountRequest(ref=bots.key(prefix + "eve")), timeout=20)
    bots.override(prefix + "dan", bots.bucket("rpm", "requests", 9))
    return prefix


def test_options_say_which_accounts_are_listed(bursar, people):
    def names(*args):
        accounts = json.loads(bursar("--prefix", people, "--json", *args).stdout).get("accounts", [])
        return [account["ref"]["id"].removeprefix(people) for account in accounts]

    assert names() == ["ann", "ben", "cat", "dan"]
    assert names("--tier", "free") == ["ben", "cat", "dan"]
    assert names("--team", people + "red") == ["ann"] and names("--org", "acme") == ["dan"]
    assert names("--suspended") == ["ben"] and names("--deleted") == ["eve"] and names("--state", "bypassed") == ["cat"]
    assert names("--state", "active") == ["ann", "dan"] and names("--state", "any") == ["ann", "ben", "cat", "dan", "eve"]
    assert names("--overrides") == ["dan"] and names("--updated-since", "-1h", "--tier", "pro") == ["ann"] and names("--created-since", "+1h") == []
    assert bursar("--prefix", people, "--count").stdout == "4\n"
    assert json.loads(bursar("--prefix", people, "--tier", "pro", "--count", "--json").stdout) == {"matched": 1}
    shown = bursar("--prefix", people, "--deleted").stdout
    assert "eve" in shown and "deleted" in shown
    wrong = bursar("--suspended", "--deleted")
    assert wrong.returncode == 2 and "--state, --suspended and --deleted exclude each other" in wrong.stderr


def test_the_short_fields_of_before_mean_what_the_filter_means(bots, people):
    pb = bots.admin_pb

    def ids(**fields):
        return [account.ref.id.removeprefix(people) for account in bots.admin.ListAccounts(pb.ListAccountsRequest(**fields), timeout=20).accounts]

    assert ids(id_prefix=people, tier="pro") == ids(filter=pb.AccountFilter(id_prefix=people, tier="pro")) == ["ann"]
    assert ids(id_prefix=people, suspended_only=True) == ["ben"]
    for field, request in (("tier", pb.ListAccountsRequest(tier="pro", filter=pb.AccountFilter(tier="free"))),
                           ("suspended_only", pb.ListAccountsRequest(suspended_only=True, filter=pb.AccountFilter(state="ACCOUNT_STATE_DELETED"))),
                           ("filter.team", pb.ListAccountsRequest(filter=pb.AccountFilter(team="a" * 129))),
                           ("filter.state", pb.ListAccountsRequest(filter=pb.AccountFilter(state=99)))):
        assert field in fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.admin.ListAccounts, request).details()
