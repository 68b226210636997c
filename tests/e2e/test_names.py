"""One model under all its names, one interface however it is written: what counts, what it counts on, and what reports say."""
import datetime

import grpc
import pytest

from bots import Bots, failed, fails_with, unique
from harness import protos

UTC = datetime.timezone.utc
NAMES = ["gpt-4o", "openai/gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06", " gpt-4o "]
INTERFACES = ["telegram", "Telegram", " TELEGRAM ", "tElEgRaM"]
pb = protos.admin_pb2


def ask(bots, user, **fields):
    return bots.check(user, input_tokens=1, max_output_tokens=1, **fields).allowed


def tenant(bots, **fields):
    """The same bursard, in a tenant of these settings."""
    fleet = Bots(bots.stubs, bots.address, unique("fleet"))
    fleet.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id=fleet.tenant, **fields)), timeout=10)
    return fleet


def price(bots, provider, model, **fields):
    bots.admin.PutPrice(pb.PutPriceRequest(price=pb.Price(
        provider=provider, model=model, input="1", output="1", source="a test", **fields)), timeout=10)


def alias(stack, name, provider, model, owner=""):
    with stack.sql() as sql:
        sql.execute("INSERT INTO model_aliases (tenant, alias, provider, model) VALUES (%s, %s, %s, %s)", (owner, name, provider, model))


def user_on(bots, where, limit):
    """A fresh user of whom the limit is: by the tier, by an override, or by the team's."""
    if where == "tier":
        return bots.user_with(limit)
    user, team = unique("user"), unique("team")
    bots.account(team, "TEAM")
    bots.account(user, team=team, tier="enterprise")
    bots.override(*((user, limit) if where == "override" else (team, limit)), kind="USER" if where == "override" else "TEAM")
    return user


@pytest.mark.parametrize("where", ["tier", "override", "team"])
def test_a_limit_on_a_model_counts_all_its_names(two_fleets, where):
    bots = two_fleets[0]
    kind = bots.types.ACCOUNT_KIND_TEAM if where == "team" else bots.types.ACCOUNT_KIND_USER
    for selector in NAMES:
        user = user_on(bots, where, bots.calendar("one", "requests", 3, model=selector))
        answers = [fleet.check(user, model=name, input_tokens=1) for fleet, name in zip(two_fleets * 3, NAMES[::-1])]
        assert [answer.allowed for answer in answers] == [True] * 3 + [False] * 2, selector
        assert failed(answers[-1]) == {"one"}
        assert ask(bots, user, model="gpt-4o-mini") and ask(bots, user)
        assert bots.figures(user)[kind, "one"].limit.model == selector.strip()
        explained = bots.limiter.Explain(bots.limiter_pb.ExplainRequest(check=bots.request(user, model="openai/gpt-4o")), timeout=10)
        assert not explained.response.allowed


def test_an_account_of_a_model_is_one_under_all_its_names(two_fleets, until):
    bots = two_fleets[0]
    assert {bots.account(name, "MODEL").ref.id for name in NAMES[::-1]} == {"gpt-4o"}
    bots.override(NAMES[2], bots.calendar("ceiling", "requests", 4), kind="MODEL")
    for fleet in two_fleets:
        until(lambda: len(fleet.status("somebody", "gpt-4o").accounts) == 2)
    answers = [ask(fleet, unique("user"), model=called) for fleet, called in zip(two_fleets * 3, NAMES)]
    assert answers == [True] * 4 + [False]
    assert ask(bots, unique("user"), model="gpt-4o-mini")
    for called in NAMES:
        account = bots.admin.GetAccount(pb.GetAccountRequest(ref=bots.key(called, "MODEL")), timeout=10)
        assert account.known and account.ref.id == "gpt-4o" and len(account.overrides) == 1
        shown = next(a for a in bots.status("somebody", called).accounts if a.kind == bots.types.ACCOUNT_KIND_MODEL)
        assert (shown.id, shown.limits[0].used) == ("gpt-4o", 4)
    listed = bots.admin.ListAccounts(pb.ListAccountsRequest(tenant="default", kind="ACCOUNT_KIND_MODEL"), timeout=10)
    assert [account.ref.id for account in listed.accounts] == ["gpt-4o"]


def test_names_of_one_model_are_one_account_in_documents_and_bulk_changes_too(bots):
    bots.account("gpt-4o", "MODEL")
    documented = pb.TenantDocument(accounts=[pb.Account(ref=pb.AccountRef(kind="ACCOUNT_KIND_MODEL", id=name), tier="free") for name in NAMES[1:3]])
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.admin.Apply, pb.ApplyRequest(document=documented), timeout=10)
    assert "document.accounts[1].ref.id" in error.details() and "gpt-4o is listed twice" in error.details()
    del documented.accounts[1]
    assert bots.admin.Apply(pb.ApplyRequest(document=documented), timeout=10).changes[0].after.accounts[0].ref.id == "gpt-4o"
    *_, last = bots.admin.ChangeAccounts(pb.ChangeAccountsRequest(kind="ACCOUNT_KIND_MODEL", ids=NAMES, change=pb.AccountChange(
        action="ACCOUNT_ACTION_SET_TIER", tier="pro")), timeout=10)
    assert (last.matched, last.changed, last.last_id) == (1, 1, "gpt-4o")


def test_an_account_under_another_name_of_before_keeps_its_ceiling(bots, stack, until):
    with stack.sql() as sql:
        sql.execute("INSERT INTO accounts (tenant, kind, id) VALUES ('default', 4, 'gpt-4o-2024-08-06')")
    until(lambda: len(bots.status("somebody", "gpt-4o").accounts) == 2)
    for name in NAMES:
        assert bots.account(name, "MODEL").ref.id == "gpt-4o-2024-08-06"
    bots.override("openai/gpt-4o", bots.calendar("ceiling", "requests", 2), kind="MODEL")
    assert [ask(bots, unique("user"), model=name) for name in NAMES[:3]] == [True, True, False]


def test_a_model_that_two_providers_have_is_one_for_limits_and_may_have_a_ceiling_at_each(bots, until):
    fleet = tenant(bots)
    price(fleet, "azure", "gpt-4o", tenant=fleet.tenant)
    price(fleet, "openai", "gpt-4o", tenant=fleet.tenant)
    until(lambda: fleet.limiter.EstimateCost(fleet.limiter_pb.EstimateCostRequest(tenant=fleet.tenant, model="azure/gpt-4o"), timeout=10).cost.provider == "azure")
    user = fleet.user_with(fleet.calendar("one", "requests", 2, model="gpt-4o"))
    assert [ask(fleet, user, model=name) for name in ("gpt-4o", "azure/gpt-4o", "openai/gpt-4o")] == [True, True, False]
    ids = [fleet.account(name, "MODEL").ref.id for name in ("azure/gpt-4o", "gpt-4o", "gpt-4o-2024-08-06")]
    assert ids == ["azure/gpt-4o", "gpt-4o", "gpt-4o"]
    counts = lambda name: [a.id for a in fleet.status(user, name).accounts if a.kind == fleet.types.ACCOUNT_KIND_MODEL]
    until(lambda: counts("gpt-4o") == ["gpt-4o"] and counts("azure/gpt-4o") == ["azure/gpt-4o"])


@pytest.mark.parametrize("where", ["tier", "override", "team"])
def test_an_interface_is_one_however_it_is_written(bots, where):
    kind = bots.types.ACCOUNT_KIND_TEAM if where == "team" else bots.types.ACCOUNT_KIND_USER
    for interface in INTERFACES:
        user = user_on(bots, where, bots.calendar("one", "requests", 3, interface=interface))
        assert [ask(bots, user, interface=name) for name in INTERFACES] == [True] * 3 + [False], interface
        assert bots.figures(user)[kind, "one"].limit.interface == "telegram"
        assert ask(bots, user, interface="web")


def test_a_repeat_that_spells_model_and_interface_otherwise_is_a_repeat(bots):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    same = dict(request_id="r1", input_tokens=5, max_output_tokens=5)
    first = bots.check(user, model="gpt-4o", interface="web", **same)
    for name in NAMES:
        again = bots.check(user, model=name, interface="Web ", **same)
        assert again.allowed and again.repeat and again.started_at_us == first.started_at_us
    fails_with(grpc.StatusCode.ALREADY_EXISTS, bots.check, user, model="gpt-4o-mini", interface="web", **same)
    fails_with(grpc.StatusCode.ALREADY_EXISTS, bots.check, user, model="gpt-4o", interface="api", **same)
    assert bots.used(user, "day") == 1


def test_books_and_reports_have_one_model_and_one_interface(bots, stack):
    user = bots.user_with(bots.calendar("one", "requests", 100, model="gpt-4o"))
    for i, name in enumerate(NAMES):
        answer = bots.check(user, model=name, interface=INTERFACES[i % 4], input_tokens=5)
        bots.record(answer, model=NAMES[-i], input_tokens=5)
    never = bots.limiter_pb.RecordRequest(reservation=bots.ref(user=user, request_id="never", started_at_us=answer.started_at_us), model=NAMES[3],
                                          interface="Telegram", usage=bots.types.TokenUsage(input_tokens=5))
    bots.limiter.Record(never, timeout=10)
    assert bots.figures(user)[bots.types.ACCOUNT_KIND_USER, "one"].used == 6
    bots.drained()
    for model in ["", *NAMES, "openai/gpt-4o "]:
        for interface in ["", *INTERFACES]:
            parts = list(bots.admin.GetReport(pb.GetReportRequest(
                ref=bots.key(user), by=["REPORT_KEY_MODEL", "REPORT_KEY_INTERFACE"], model=model, interface=interface), timeout=10))
            lines = [line for part in parts for line in part.lines]
            assert [(line.provider, line.model, line.interface, line.requests) for line in lines] == [("openai", "gpt-4o", "telegram", 6)], (model, interface)
    stats = bots.admin.GetStats(pb.GetStatsRequest(tenant="default"), timeout=10)
    assert [use.name for use in stats.by_model] == ["openai/gpt-4o"] and [use.name for use in stats.by_interface] == ["telegram"]
    with stack.sql() as sql:
        sql.execute("SELECT DISTINCT provider, price_model, interface FROM ledger")
        assert sql.fetchall() == [("openai", "gpt-4o", "telegram")]


def test_an_expiry_names_the_model_in_the_books(bots, until):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    bots.check(user, model="openai/gpt-4o-2024-08-06", interface="Web", reservation_ttl_us=1_000_000)
    lines = lambda: [line for part in bots.admin.GetReport(pb.GetReportRequest(ref=bots.key(user), by=["REPORT_KEY_MODEL", "REPORT_KEY_INTERFACE"]), timeout=10)
                     for line in part.lines]
    until(lambda: [(line.provider, line.model, line.interface) for line in lines()] == [("openai", "gpt-4o", "web")])


def test_names_without_a_price_that_may_pass_for_nothing_are_one_in_any_case(bots):
    fleet = tenant(bots, unknown_model="UNKNOWN_MODEL_FREE")
    user = fleet.user_with(fleet.calendar("known", "requests", 2, model="gpt-4o"), fleet.calendar("own", "requests", 2, model="My-Model"))
    assert [ask(fleet, user, model=name) for name in ("GPT-4o", "gpt-4O", "gpt-4o")] == [True, True, False]
    assert [ask(fleet, user, model=name) for name in ("my-model", "My-Model", "MY-MODEL ")] == [True, True, False]
    answer = fleet.check(unique("user"), model="Some-Thing")
    fleet.record(answer, model="SOME-thing", input_tokens=1)
    fleet.drained()
    stats = fleet.admin.GetStats(pb.GetStatsRequest(tenant=fleet.tenant), timeout=10)
    assert [use.name for use in stats.by_model] == ["some-thing"]


def test_names_without_a_price_count_as_the_fallback_unless_the_tenant_speaks_of_them(bots, until):
    fleet = tenant(bots, unknown_model="UNKNOWN_MODEL_FALLBACK", fallback_model="gpt-4o")
    user = fleet.user_with(fleet.calendar("fallback", "requests", 3, model="gpt-4o"), fleet.calendar("own", "requests", 1, model="not-yet"))
    assert [ask(fleet, user, model=name) for name in ("GPT-4o", "who-knows", "gpt-4o-2024-08-06", "gpt-4o-x")] == [True] * 3 + [False]
    assert [ask(fleet, user, model=name) for name in ("not-yet", "Not-Yet")] == [True, False]
    assert fleet.account("who-knows", "MODEL").ref.id == "gpt-4o"


def test_a_new_alias_moves_a_name_for_requests_limits_and_accounts_at_once(two_fleets, stack, until):
    name = "my-4o"
    fleet = tenant(two_fleets[0], unknown_model="UNKNOWN_MODEL_FREE")
    others = [Bots(f.stubs, f.address, fleet.tenant) for f in two_fleets]
    user = fleet.user_with(fleet.calendar("named", "requests", 3, model=name), fleet.calendar("meant", "requests", 5, model="gpt-4o"))
    own = unique("user")
    fleet.account(own)
    fleet.override(own, fleet.calendar("named", "requests", 3, model=name))
    fleet.account(name, "MODEL", tier="enterprise")
    assert ask(fleet, user, model=name) and ask(fleet, user, model="gpt-4o")
    assert ask(fleet, own, model=name)
    for other in others:
        until(lambda: name in [a.id for a in other.status(user, name).accounts])  # the account raises the epoch, too
    before = fleet.admin.GetTenant(pb.GetTenantRequest(id=fleet.tenant), timeout=10).epoch
    alias(stack, name, "openai", "gpt-4o", fleet.tenant)
    for other in others:
        until(lambda: other.admin.GetTenant(pb.GetTenantRequest(id=fleet.tenant), timeout=10).epoch > before)
        assert [a.id for a in other.status(user, "openai/gpt-4o").accounts if a.kind == other.types.ACCOUNT_KIND_MODEL] == [name]
    names = (name, "gpt-4o", "openai/gpt-4o", name)
    assert [ask(other, user, model=called) for other, called in zip(others * 2, names)] == [True, True, False, False]
    figures = fleet.figures(user, "gpt-4o")
    kind = fleet.types.ACCOUNT_KIND_USER
    assert (figures[kind, "named"].used, figures[kind, "meant"].used) == (3, 3)  # what was used before stays
    assert [ask(other, own, model=called) for other, called in zip(others * 2, names[:3])] == [True, True, False]
    assert fleet.account("gpt-4o", "MODEL").ref.id == name
    with stack.sql() as sql:
        sql.execute("DELETE FROM model_aliases WHERE alias = %s", (name,))
    for other in others:
        until(lambda: not [a for a in other.status(user, "gpt-4o").accounts if a.kind == other.types.ACCOUNT_KIND_MODEL])
    assert not ask(fleet, user, model=name) and ask(fleet, user, model="gpt-4o")


def test_the_proof_goes_by_what_a_name_leads_to_today(bots, stack, until):
    fleet = tenant(bots, unknown_model="UNKNOWN_MODEL_FREE")
    name = unique("name")
    user = fleet.user_with(fleet.calendar("meant", "tokens", 10**6, model="gpt-4o"))
    for model, tokens in ((name, 7), ("gpt-4o", 5)):
        fleet.record(fleet.check(user, model=model), input_tokens=tokens)
    assert fleet.drained().equal
    alias(stack, name, "openai", "gpt-4o", fleet.tenant)
    until(lambda: fleet.limiter.EstimateCost(fleet.limiter_pb.EstimateCostRequest(tenant=fleet.tenant, model=name), timeout=10).cost.model == "gpt-4o")
    stack.redis.flushall()
    assert fleet.used(user, "meant") == 12  # from the ledger's windows, one of which has the name
    proof = fleet.drained()
    assert proof.equal, proof


def test_a_name_moves_when_a_price_ends(clock, start_bursard, stack, until):
    clock.set(datetime.datetime(2027, 3, 10, 12, 0, tzinfo=UTC))
    fleets = [Bots(protos, start_bursard(clock=clock).grpc_addr) for _ in range(2)]
    bots = fleets[0]
    ends = int((clock.now() + 3600) * 1e6)
    price(bots, "acme", "preview", effective_to_us=ends)
    price(bots, "acme", "final")
    alias(stack, "preview", "acme", "final")
    user = bots.user_with(bots.calendar("final", "requests", 2, model="final"))
    wait = lambda fleet, model: until(lambda: fleet.limiter.EstimateCost(
        fleet.limiter_pb.EstimateCostRequest(model="preview"), timeout=10).cost.model == model)
    for fleet in fleets:
        wait(fleet, "preview")
    epoch = lambda fleet: fleet.admin.GetTenant(pb.GetTenantRequest(), timeout=10).epoch
    before = epoch(bots)
    assert [ask(fleet, user, model="preview") for fleet in fleets * 2] == [True] * 4
    clock.advance(3601)
    for fleet in fleets:
        until(lambda: epoch(fleet) == before + 1)
    assert [ask(fleet, user, model="preview") for fleet in fleets * 2] == [True, True, False, False]
    assert epoch(bots) == before + 1
    for fleet in fleets:
        fleet.close()


def test_a_users_own_price_makes_a_name_of_their_own(bots, stack, until):
    fleet = tenant(bots)
    owner, other = (fleet.user_with(fleet.calendar("tuned", "requests", 1, model="tuned-1"), fleet.calendar("base", "requests", 1, model="gpt-4o"))
                    for _ in range(2))
    price(fleet, "openai", "tuned-1", tenant=fleet.tenant, account=owner)
    alias(stack, "tuned-1", "openai", "gpt-4o", fleet.tenant)
    estimate = lambda user: fleet.limiter.EstimateCost(
        fleet.limiter_pb.EstimateCostRequest(tenant=fleet.tenant, user=user, model="tuned-1"), timeout=10).cost.model
    until(lambda: estimate(other) == "gpt-4o" and estimate(owner) == "tuned-1")
    fleet.override(owner, fleet.calendar("mine", "requests", 1, model="tuned-1"))
    assert [ask(fleet, other, model=name) for name in ("tuned-1", "gpt-4o")] == [True, False]
    assert [ask(fleet, owner, model=name) for name in ("tuned-1", "gpt-4o", "tuned-1")] == [True, True, False]


def test_keys_are_bound_to_interfaces_however_they_are_written(bots, stack):
    answer = bots.admin.CreateKey(pb.CreateKeyRequest(role="ROLE_OPERATOR"), timeout=10)
    operator = [("authorization", "Bearer " + answer.secret)]
    made = bots.admin.CreateKey(pb.CreateKeyRequest(role="ROLE_BOT", interfaces=["Telegram ", "WEB"]), timeout=10, metadata=operator)
    assert list(made.key.interfaces) == ["telegram", "web"]
    bot = [("authorization", "Bearer " + made.secret)]
    for interface in ["", *INTERFACES, " web", "Web"]:
        bots.limiter.Check(bots.request(unique("ann"), interface=interface), timeout=10, metadata=bot)
    fails_with(grpc.StatusCode.PERMISSION_DENIED, bots.limiter.Check, bots.request("ann", interface="Discord"), timeout=10, metadata=bot)


@pytest.mark.parametrize("field, fields", [("interface", {"interface": "  "}), ("model", {"model": "  "}), ("interface", {"interface": "a\tb"}),
                                           ("model", {"model": "a\x01"})])
def test_names_of_nothing_are_refused(bots, field, fields):
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.check, unique("user"), **fields)
    assert error.details().startswith(field + ":")
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.tier, unique("tier"), bots.calendar("day", "requests", 1, **fields))
    assert error.details().startswith(f"tier.limits[0].{field}:")
