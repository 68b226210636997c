"""Aliases and families of models as data: who may put them, what they change and when, and what models without a price cost."""
import pathlib
import re

import grpc
import pytest

from bots import Bots, fails_with, unique
from harness import protos

pb = protos.admin_pb2
ROOT = pathlib.Path(__file__).resolve().parents[2]
Code = grpc.StatusCode


def fleet_of(bots, **settings):
    """The same bursard, in a tenant of these settings."""
    fleet = Bots(bots.stubs, bots.address, unique("fleet"))
    fleet.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id=fleet.tenant, **settings)), timeout=10)
    return fleet


def put_alias(bots, name, model, tenant="", **fields):
    return bots.admin.PutAlias(pb.PutAliasRequest(alias=pb.Alias(tenant=tenant, name=name, model=model, **fields)), timeout=10)


def put_family(bots, pattern, model, tenant="", **fields):
    return bots.admin.PutFamily(pb.PutFamilyRequest(family=pb.Family(tenant=tenant, pattern=pattern, model=model, **fields)), timeout=10)


def aliases(bots, **fields):
    return [(a.tenant, a.name, f"{a.provider}/{a.model}", a.priced) for a in bots.admin.ListAliases(pb.ListAliasesRequest(**fields), timeout=10).aliases]


def families(bots, tenant=""):
    return [(f.tenant, f.pattern, f.model) for f in bots.admin.ListFamilies(pb.ListFamiliesRequest(tenant=tenant), timeout=10).families]


def cost_of(bots, model, tokens=1_000_000):
    return bots.limiter.EstimateCost(bots.limiter_pb.EstimateCostRequest(
        tenant=bots.tenant, model=model, usage=bots.types.TokenUsage(input_tokens=tokens)), timeout=10).cost


def test_an_alias_is_in_force_at_once_here_and_within_a_second_elsewhere(two_fleets, until):
    fleet = fleet_of(two_fleets[0], unknown_model="UNKNOWN_MODEL_REFUSE")
    other = Bots(fleet.stubs, two_fleets[1].address, fleet.tenant)
    fails_with(Code.INVALID_ARGUMENT, cost_of, fleet, "our-best")
    put = put_alias(fleet, "our-best", "gpt-4o", fleet.tenant)
    assert (put.provider, put.model, put.priced) == ("openai", "gpt-4o", True)
    assert cost_of(fleet, "our-best").model == "gpt-4o"
    until(lambda: aliases(other, tenant=fleet.tenant, prefix="our-") == [(fleet.tenant, "our-best", "openai/gpt-4o", True)])
    assert cost_of(other, "openrouter/openai/our-best").model == "gpt-4o"
    user = fleet.user_with(fleet.calendar("one", "requests", 1, model="our-best"))
    assert fleet.check(user, model="azure/gpt-4o").allowed and not fleet.check(user, model="our-best").allowed
    assert put_alias(fleet, "our-best", "gpt-4o-mini", fleet.tenant).model == "gpt-4o-mini"
    assert cost_of(fleet, "our-best").model == "gpt-4o-mini"
    gone = fleet.admin.DeleteAlias(pb.DeleteAliasRequest(tenant=fleet.tenant, name="our-best"), timeout=10)
    assert gone.model == "gpt-4o-mini"
    fails_with(Code.INVALID_ARGUMENT, cost_of, fleet, "our-best")


def test_an_alias_of_an_alias_is_one_of_its_model(bots):
    name = unique("name")
    assert put_alias(bots, name, "azure/gpt-4o-2024-08-06").model == "gpt-4o"
    assert put_alias(bots, unique("name"), name).model == "gpt-4o"
    assert put_alias(bots, unique("name"), "gpt-4o", provider="openai").provider == "openai"


@pytest.mark.parametrize("alias, says", [
    (dict(name="new", model="gpt-4oo"), "alias.model: no price is known .* similar names are gpt-4o"),
    (dict(name="new", model="gpt-4o", provider="xai"), "alias.model: no price is known"),
    (dict(name="gpt-4o", model="gpt-4o-mini"), "alias.name: is the id of a model with a price, openai/gpt-4o, which goes before any alias"),
    (dict(name="openai/gpt-4o", model="gpt-4o-mini"), "alias.name: is the id of a model"),
    (dict(name="", model="gpt-4o"), "alias.name: "),
    (dict(name="n" * 129, model="gpt-4o"), "alias.name: "),
    (dict(name=" ", model="gpt-4o"), "alias.name: "),
    (dict(name="new", model=""), "alias.model: "),
])
def test_an_alias_that_would_lead_nowhere_is_refused(bots, alias, says):
    error = fails_with(Code.INVALID_ARGUMENT, bots.admin.PutAlias, pb.PutAliasRequest(alias=pb.Alias(**alias)), timeout=10)
    assert re.match(says, error.details()), error.details()


def test_a_tenants_alias_goes_before_everybodys_and_is_only_theirs(bots):
    fleet, name = fleet_of(bots), unique("name")
    put_alias(bots, name, "gpt-4o")
    put_alias(bots, name, "gpt-4o-mini", fleet.tenant)
    assert cost_of(fleet, name).model == "gpt-4o-mini" and cost_of(bots, name).model == "gpt-4o"
    assert aliases(bots, tenant=fleet.tenant, prefix=name) == [("", name, "openai/gpt-4o", True), (fleet.tenant, name, "openai/gpt-4o-mini", True)]
    assert aliases(bots, prefix=name) == [("", name, "openai/gpt-4o", True)]
    error = fails_with(Code.NOT_FOUND, bots.admin.DeleteAlias, pb.DeleteAliasRequest(name=name + "x"), timeout=10)
    assert error.details() == f"name: there is no alias {name}x for all tenants"


def test_aliases_are_listed_page_by_page_and_by_model(bots):
    fleet, prefix = fleet_of(bots), unique("name")
    for i in range(5):
        put_alias(fleet, f"{prefix}-{i}", "gpt-4o" if i % 2 else "gpt-4o-mini", fleet.tenant)
    put_alias(fleet, f"{prefix}-2", "gpt-5")
    seen, token = [], ""
    while True:
        page = bots.admin.ListAliases(pb.ListAliasesRequest(tenant=fleet.tenant, prefix=prefix, page_size=2, page_token=token), timeout=10)
        seen.append([a.name[-1] for a in page.aliases])
        token = page.next_page_token
        if not token:
            break
    assert seen == [["0", "1"], ["2", "2"], ["3", "4"]]
    assert [a[1][-1] for a in aliases(bots, tenant=fleet.tenant, prefix=prefix, model="azure/gpt-4o")] == ["1", "3"]
    fails_with(Code.INVALID_ARGUMENT, aliases, bots, model="no-such-model")


def test_an_alias_whose_model_has_lost_its_price_says_so(bots):
    fleet, name = fleet_of(bots), unique("name")
    price = pb.Price(tenant=fleet.tenant, provider="acme", model=name, input="1", output="1")
    bots.admin.PutPrice(pb.PutPriceRequest(price=price), timeout=10)
    put_alias(fleet, name + "-x", name, fleet.tenant)
    bots.admin.EndPrice(pb.EndPriceRequest(tenant=fleet.tenant, provider="acme", model=name), timeout=10)
    assert aliases(fleet, tenant=fleet.tenant, prefix=name) == [(fleet.tenant, name + "-x", "acme/" + name, False)]


def test_too_many_aliases_are_refused(bots, stack):
    fleet = fleet_of(bots)
    with stack.sql() as sql:
        sql.execute("INSERT INTO model_aliases SELECT %s, 'a' || n, 'openai', 'gpt-4o' FROM generate_series(1, 5000) n", (fleet.tenant,))
    error = fails_with(Code.FAILED_PRECONDITION, put_alias, fleet, "one-more", "gpt-4o", fleet.tenant)
    assert error.details() == f"there are 5000 aliases of tenant {fleet.tenant}, the maximum: delete some first"
    put_alias(fleet, "a1", "gpt-4o-mini", fleet.tenant)  # replacing one is not one more


def test_a_fresh_install_lets_new_models_of_known_vendors_run_flagged_at_a_high_price(bots):
    """What nobody has heard of yet must neither stop the fleet nor be free."""
    settings = bots.admin.GetTenant(pb.GetTenantRequest(), timeout=10)
    assert (settings.unknown_model, settings.fallback_model) == (pb.UNKNOWN_MODEL_FAMILY, "anthropic/claude-fable-5")
    for name, model in [("gpt-7", "gpt-6-astra"), ("azure/gpt-7-mini-2027-03-01", "gpt-6-astra"), ("openrouter/anthropic/claude-opus-9.1", "claude-opus-5"),
                        ("us.anthropic.claude-haiku-7-20270301-v1:0", "claude-haiku-4-5"), ("claude-saga-1", "claude-fable-5"),
                        ("vertex_ai/gemini-4-pro", "gemini-4-argon"), ("grok-7", "grok-4"), ("deepseek-v9", "deepseek-v4-pro"),
                        ("text-embedding-9", "text-embedding-3-large"), ("gpt-4o-2031-01-01", "gpt-4o"), ("who-knows", "claude-fable-5")]:
        cost = cost_of(bots, name)
        assert (cost.unpriced, cost.served_model, cost.model) == (True, name, model) and cost.cost_nano_usd > 0, name
    user = bots.user_with(bots.calendar("cost", "cost", 20_000_000))
    answer = bots.check(user, model="gpt-7", input_tokens=1000, max_output_tokens=10)
    assert answer.allowed and answer.unpriced
    done = bots.record(answer, model="gpt-7-2027-03-01", input_tokens=1000, output_tokens=10)
    assert done.cost.unpriced and (done.cost.cost_nano_usd, done.cost.served_model, done.cost.model) == (10_500_000, "gpt-7-2027-03-01", "gpt-6-astra")
    assert not bots.check(user, model="gpt-7", input_tokens=1000).allowed  # budgets hold


def test_every_shipped_family_and_the_fallback_have_a_price(bots):
    listed = bots.admin.ListFamilies(pb.ListFamiliesRequest(), timeout=10).families
    assert len(listed) >= 15 and [f.pattern for f in listed if not f.priced] == []
    assert [a.name for a in bots.admin.ListAliases(pb.ListAliasesRequest(page_size=1000), timeout=10).aliases if not a.priced] == []


def test_without_a_family_the_fallback_counts_and_without_one_the_model_is_refused(bots):
    fleet = fleet_of(bots, unknown_model="UNKNOWN_MODEL_FAMILY", fallback_model="gpt-4o-mini")
    put_family(fleet, "Acme-9*", "gpt-4o", fleet.tenant)
    assert cost_of(fleet, "acme-9-large").model == cost_of(fleet, "azure/ACME-9").model == "gpt-4o"
    assert cost_of(fleet, "acme-8").model == "gpt-4o-mini"
    assert not cost_of(fleet, "gpt-4o").unpriced


def test_a_family_without_a_fallback_refuses_the_rest(bots, stack):
    fleet = fleet_of(bots, unknown_model="UNKNOWN_MODEL_FAMILY")
    with stack.sql() as sql:
        sql.execute("UPDATE tenants SET fallback_model = '' WHERE id = %s", (fleet.tenant,))
    put_family(fleet, "acme-*", "gpt-4o", fleet.tenant)  # the answer waits for the catalog, which has both
    assert cost_of(fleet, "acme-1").model == "gpt-4o"
    error = fails_with(Code.INVALID_ARGUMENT, cost_of, fleet, "gtp-4o-mini")
    assert "similar names are gpt-4o-mini" in error.details()
    done = fleet.record(fleet.check(unique("user")), model="who-knows", input_tokens=1000)
    assert done.cost.unpriced and done.cost.cost_nano_usd == 0


def test_free_is_free_in_checks_and_in_records(bots):
    fleet = fleet_of(bots, unknown_model="UNKNOWN_MODEL_FREE", fallback_model="gpt-4o")
    answer = fleet.check(unique("user"), model="gpt-7", input_tokens=1000)
    done = fleet.record(answer, model="gpt-7", input_tokens=1000)
    assert answer.unpriced and done.cost.unpriced and done.cost.cost_nano_usd == 0


def test_families_begin_end_and_are_the_tenants_own_first(bots):
    fleet = fleet_of(bots, unknown_model="UNKNOWN_MODEL_FAMILY")
    put_family(fleet, "gpt-*", "gpt-4o", fleet.tenant)
    assert cost_of(fleet, "gpt-7").model == "gpt-4o" and cost_of(bots, "gpt-7").model == "gpt-6-astra"
    first = put_family(fleet, "gpt-*", "gpt-4o", fleet.tenant)
    assert first.effective_from_us == 0  # it says so already
    second = put_family(fleet, "GPT-*", "gpt-4o-mini", fleet.tenant)
    assert second.effective_from_us > 0 and second.pattern == "gpt-*"
    put_family(fleet, "gpt-*", "gpt-5", fleet.tenant, effective_from_us=4_000_000_000_000_000)
    assert [row[1:] for row in families(bots, fleet.tenant) if row[0]] == [("gpt-*", "gpt-5"), ("gpt-*", "gpt-4o-mini"), ("gpt-*", "gpt-4o")]
    assert cost_of(fleet, "gpt-7").model == "gpt-4o-mini"
    one = fleet.admin.DeleteFamily(pb.DeleteFamilyRequest(tenant=fleet.tenant, pattern="gpt-*", effective_from_us=second.effective_from_us), timeout=10)
    assert [f.model for f in one.families] == ["gpt-4o-mini"] and cost_of(fleet, "gpt-7").model == "gpt-4o"
    rest = fleet.admin.DeleteFamily(pb.DeleteFamilyRequest(tenant=fleet.tenant, pattern="GPT-*"), timeout=10)
    assert [f.model for f in rest.families] == ["gpt-5", "gpt-4o"] and cost_of(fleet, "gpt-7").model == "gpt-6-astra"
    error = fails_with(Code.NOT_FOUND, fleet.admin.DeleteFamily, pb.DeleteFamilyRequest(tenant=fleet.tenant, pattern="gpt-*"), timeout=10)
    assert error.details() == f"pattern: there is no rule gpt-* of tenant {fleet.tenant}"


@pytest.mark.parametrize("pattern", ["gpt-6", "*", "g*t", "gpt**", ""])
def test_a_pattern_is_a_beginning_and_a_star(bots, pattern):
    assert "family.pattern: " in fails_with(Code.INVALID_ARGUMENT, put_family, bots, pattern, "gpt-4o").details()


def test_a_family_counts_on_the_limits_of_its_model_unless_the_tenant_speaks_of_the_name(bots):
    fleet = fleet_of(bots, unknown_model="UNKNOWN_MODEL_FAMILY")
    put_family(fleet, "acme-*", "gpt-4o", fleet.tenant)
    user = fleet.user_with(fleet.calendar("family", "requests", 2, model="gpt-4o"), fleet.calendar("own", "requests", 1, model="acme-own"))
    ask = lambda name: fleet.check(user, model=name, input_tokens=1).allowed
    assert [ask(name) for name in ("acme-1", "ACME-2", "gpt-4o")] == [True, True, False]
    assert [ask(name) for name in ("acme-own", "Acme-Own")] == [True, False]
    assert fleet.account("acme-7", "MODEL").ref.id == "gpt-4o"


def test_the_first_request_of_an_unknown_model_is_said_once(bursard, bots):
    name = unique("new")
    for spelled in (name, name.upper(), name):
        bots.record(bots.check(unique("user"), model=spelled, input_tokens=1), model=spelled, input_tokens=1)
    refusing = fleet_of(bots, unknown_model="UNKNOWN_MODEL_REFUSE")
    for _ in range(3):
        fails_with(Code.INVALID_ARGUMENT, refusing.check, unique("user"), model=name)
    lines = [line for line in bursard.log().splitlines() if name in line.lower()]
    assert len(lines) == 2, lines
    assert "charged a model without a price" in lines[0] and "as_model=claude-fable-5" in lines[0]
    assert "refused a model without a price" in lines[1] and f"tenant={refusing.tenant}" in lines[1]


def test_aliases_are_part_of_documents(bots, bursar, tmp_path):
    fleet, path = fleet_of(bots), tmp_path / "fleet.yaml"
    for name, model in (("keep", "gpt-4o"), ("move", "gpt-4o"), ("drop", "gpt-4o")):
        put_alias(fleet, name, model, fleet.tenant)
    exported = bursar("export", "--tenant", fleet.tenant, check=True).stdout
    assert exported.endswith("aliases:\n  drop: openai/gpt-4o\n  keep: openai/gpt-4o\n  move: openai/gpt-4o\n")
    path.write_text(exported.replace("  drop: openai/gpt-4o\n", "").replace("move: openai/gpt-4o", "move: claude-opus-5\n  new: azure/gpt-5"))
    shown = bursar("apply", "-f", str(path), "--yes", check=True).stdout
    assert "~ alias move\n    provider: openai -> anthropic\n    model: gpt-4o -> claude-opus-5\n" in shown and "+ alias new" in shown
    assert "1 added, 1 changed, 0 removed" in shown
    assert "- alias drop" in bursar("apply", "-f", str(path), "--yes", "--prune", check=True).stdout
    assert [row[1:3] for row in aliases(fleet, tenant=fleet.tenant) if row[0]] == [
        ("keep", "openai/gpt-4o"), ("move", "anthropic/claude-opus-5"), ("new", "openai/gpt-5")]
    assert "nothing to change" in bursar("apply", "-f", str(path), "--yes", "--prune", check=True).stdout
    audit = bots.admin.ListAudit(pb.ListAuditRequest(tenant=fleet.tenant, action="alias."), timeout=10).entries
    assert [(row.action, row.target) for row in audit][:3] == [("alias.delete", "drop"), ("alias.put", "new"), ("alias.put", "move")]


@pytest.mark.parametrize("text, says", [
    ("aliases:\n  new: gpt-4oo\n", ":2:3: aliases.new: no price is known"),
    ("aliases:\n  gpt-5: gpt-4o\n", ":2:3: aliases.gpt-5: is the id of a model with a price"),
    ("aliases: [a]\n", ":1:10: aliases: must be a map of names"),
    ("aliases:\n  a: [b]\n", ":2:6: aliases.a: "),
    ("alias:\n  a: gpt-4o\n", ":1:1: 'alias' is not known here; did you mean 'aliases'?"),
])
def test_a_wrong_alias_in_a_document_is_shown_where_it_is(bursar, tmp_path, text, says):
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    done = bursar("apply", "-f", str(path), "--tenant", "default", "--yes")
    assert done.returncode != 0 and says in done.stderr, done.stderr


def test_a_document_is_applied_as_it_was_exported_whatever_has_become_of_its_aliases(bots):
    fleet, name = fleet_of(bots), unique("name")
    price = pb.Price(tenant=fleet.tenant, provider="acme", model=name, input="1", output="1")
    bots.admin.PutPrice(pb.PutPriceRequest(price=price), timeout=10)
    put_alias(fleet, name + "-x", name, fleet.tenant)
    bots.admin.EndPrice(pb.EndPriceRequest(tenant=fleet.tenant, provider="acme", model=name), timeout=10)
    document = bots.admin.Export(pb.ExportRequest(tenant=fleet.tenant), timeout=10)
    assert [a.name for a in document.aliases] == [name + "-x"]
    assert not bots.admin.Apply(pb.ApplyRequest(tenant=fleet.tenant, document=document, prune=True), timeout=10).changes
    document.aliases.append(document.aliases[0])
    error = fails_with(Code.INVALID_ARGUMENT, bots.admin.Apply, pb.ApplyRequest(tenant=fleet.tenant, document=document), timeout=10)
    assert error.details() == f"document.aliases: {name}-x is listed twice"


def test_the_doctor_finds_names_that_lead_nowhere(bots):
    def found(tenant=""):
        checks = bots.admin.Diagnose(pb.DiagnoseRequest(tenant=tenant), timeout=20).checks
        return next((check.finding, check.found) for check in checks if check.name == "model names")

    shown = found()
    assert shown[0] == pb.FINDING_OK and shown[1].endswith("17 families; models without a price are charged like their family (fallback: anthropic/claude-fable-5)")
    fleet, name = fleet_of(bots, unknown_model="UNKNOWN_MODEL_REFUSE"), unique("name")
    assert found(fleet.tenant)[1].endswith("models without a price are refused")
    price = pb.Price(tenant=fleet.tenant, provider="acme", model=name, input="1", output="1")
    bots.admin.PutPrice(pb.PutPriceRequest(price=price), timeout=10)
    put_alias(fleet, name + "-x", name, fleet.tenant)
    put_family(fleet, name + "*", name, fleet.tenant)
    bots.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id=fleet.tenant, unknown_model="UNKNOWN_MODEL_FAMILY", fallback_model="acme/" + name)), timeout=10)
    assert found(fleet.tenant)[0] == pb.FINDING_OK
    bots.admin.EndPrice(pb.EndPriceRequest(tenant=fleet.tenant, provider="acme", model=name), timeout=10)
    assert found(fleet.tenant) == (pb.FINDING_WARN, f"the fallback model, acme/{name}, has no price: models without one are refused unless they have a family")
    bots.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id=fleet.tenant, fallback_model="gpt-5")), timeout=10)
    assert found(fleet.tenant)[0] == pb.FINDING_WARN and found(fleet.tenant)[1].startswith("2 of ")
    assert found()[0] == pb.FINDING_OK


def test_a_list_of_aliases_is_imported_whole_or_not_at_all(bots, bursar, tmp_path):
    fleet, path = fleet_of(bots), tmp_path / "list.csv"
    own = lambda: [row[1:3] for row in aliases(bots, tenant=fleet.tenant) if row[0]]
    put_alias(fleet, "same", "gpt-4o", fleet.tenant)
    put_alias(fleet, "moved", "gpt-4o", fleet.tenant)
    path.write_text('provider,alias,model\nopenai,same,gpt-4o\n,moved,"claude-opus-5"\n,new,azure/gpt-5\n')
    run = lambda *more: bursar("model", "alias", "import", str(path), "--tenant", fleet.tenant, *more)
    dry = run("--dry-run")
    assert dry.returncode == 0 and own() == [("moved", "openai/gpt-4o"), ("same", "openai/gpt-4o")]
    assert dry.stdout == (f"changed moved of tenant {fleet.tenant}: openai/gpt-4o -> anthropic/claude-opus-5\n"
                          f"new     new of tenant {fleet.tenant}: openai/gpt-5\n1 new, 1 changed, 1 the same\n")
    assert run("--yes").stdout.endswith("imported: 2 aliases\n")
    assert own() == [("moved", "anthropic/claude-opus-5"), ("new", "openai/gpt-5"), ("same", "openai/gpt-4o")]
    assert run("--yes").stdout == "0 new, 0 changed, 3 the same\n"
    path.write_text("alias,model\nfirst,gpt-4o\nsecond,gpt-4oo\n")
    wrong = run("--yes")
    assert wrong.returncode == 4 and "list.csv:3: second: no price is known for this model; similar names are gpt-4o" in wrong.stderr
    assert len(own()) == 3
    listed = tmp_path / "list.json"
    listed.write_text(bursar("model", "alias", "list", "--prefix", "moved", "--tenant", fleet.tenant, "--json", check=True).stdout)
    assert bursar("model", "alias", "import", str(listed), "--yes", check=True).stdout == "0 new, 0 changed, 1 the same\n"


@pytest.mark.parametrize("text, says", [
    ("alias;model\na;gpt-4o\n", "line 1: "),
    ("alias,modle\na,gpt-4o\n", "line 1: modle is not a column of a list of aliases: alias, model, provider, tenant"),
    ("alias\na\n", "line 1: must name the columns alias and model"),
    ("alias,model\n", "lists no alias"),
    ("", "line 1: "),
    ("alias,model\na\n", "list.csv:2: "),
    ("alias,model\na,gpt-4o\na,gpt-5\n", "a is listed twice"),
])
def test_a_wrong_list_of_aliases_changes_nothing(bots, bursar, tmp_path, text, says):
    path = tmp_path / "list.csv"
    path.write_text(text)
    done = bursar("model", "alias", "import", str(path), "--yes")
    assert done.returncode == 4 and says in done.stderr, done.stderr
    assert aliases(bots, prefix="a") == []


def test_the_shipped_list_of_aliases_changes_nothing(bursar):
    shipped = str(ROOT / "deploy/data/model_aliases.csv")
    assert re.fullmatch(r"0 new, 0 changed, \d+ the same\n", bursar("model", "alias", "import", shipped, check=True).stdout)
