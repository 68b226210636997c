"""Price lists: shown before they are put, all or nothing; prices of a tenant's and of a user's own; prices that end."""
import csv
import functools
import io
import json
import subprocess

import grpc
import pytest

from harness.paths import ROOT
from bots import DAY_US, fails_with, unique

SHIPPED = ROOT / "deploy" / "data" / "model_prices.csv"
HEADER = "provider,model,input_usd_per_1m,output_usd_per_1m"
Code = grpc.StatusCode


@pytest.fixture
def bursar(bursar):
    return functools.partial(bursar, "price")


@pytest.fixture
def sheet(tmp_path):
    """Writes a list of lines behind the header, and gives its path."""
    def write(*lines, header=HEADER):
        path = tmp_path / (unique("list") + ".csv")
        path.write_text("\n".join([header, *lines]) + "\n")
        return path
    return write


def everything(stack):
    """All prices and the audit log, as the database has them."""
    with stack.sql() as sql:
        sql.execute("SELECT p::text FROM model_prices p ORDER BY id")
        prices = sql.fetchall()
        sql.execute("SELECT count(*) FROM audit_log")
        return prices, sql.fetchall()


def price(bots, model, **fields):
    return bots.admin.GetPrice(bots.admin_pb.GetPriceRequest(model=model, **fields), timeout=20)


def put(bots, model, value, **fields):
    return bots.admin.PutPrice(bots.admin_pb.PutPriceRequest(price=bots.admin_pb.Price(
        provider="openai", model=model, input=value, output=value, **fields), yes=True), timeout=20)


def test_the_shipped_list_changes_nothing_on_a_fresh_database(bursar, stack):
    before = everything(stack)
    done = bursar("import", SHIPPED, "--yes")
    assert done.returncode == 0, done.stderr
    assert "0 new, 0 changed, 789 unchanged" in done.stdout
    assert everything(stack) == before


def test_the_migrations_of_prices_are_those_of_the_lists():
    subprocess.run([ROOT / "deploy" / "tools" / "prices-to-sql", "--check"], check=True, timeout=60)


def test_a_list_is_shown_and_put_only_with_yes(bots, bursar, sheet, stack):
    old = price(bots, "gpt-4o")
    path = sheet(f"openai,gpt-4o,3,{old.output}", "openai,gpt-4o-mini,0.15,0.6", "acme-ai,new-one,1,2")
    before = everything(stack)
    shown = bursar("import", path)
    assert shown.returncode == 2 and "--yes" in shown.stderr
    assert "1 new, 1 changed, 1 unchanged" in shown.stdout and "+20.0%" in shown.stdout and "gpt-4o-mini" not in shown.stdout
    assert bursar("import", path, "--dry-run", "--yes").returncode == 0
    assert everything(stack) == before
    done = bursar("import", path, "--yes", "--reason", "they said so")
    assert done.returncode == 0 and "imported: 1 new, 1 changed" in done.stdout, done.stderr
    new = price(bots, "gpt-4o")
    assert new.input == "3" and new.effective_from_us > 0
    assert (new.cached_input, new.modes, new.context_tiers) == (old.cached_input, old.modes, old.context_tiers)  # the list has no column for them
    assert price(bots, "gpt-4o", at_us=new.effective_from_us - 1).input == old.input
    assert price(bots, "acme-ai/new-one").effective_from_us == 0
    log = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(all_tenants=True, action="price.put"), timeout=20).entries
    assert {(entry.target, entry.reason) for entry in log} == {("openai/gpt-4o", "they said so"), ("acme-ai/new-one", "they said so")}
    assert json.loads(next(entry.before for entry in log if entry.target == "openai/gpt-4o"))["input"] == 2500000
    again = bursar("import", path, "--yes")
    assert again.returncode == 0 and "0 new, 0 changed, 3 unchanged" in again.stdout


def test_a_big_move_refuses_the_whole_list_and_names_each_row(bots, bursar, sheet, stack):
    path = sheet("openai,gpt-4o,3,10", "openai,gpt-4o-mini,150,0.6", "anthropic,claude-haiku-4-5,1,0.05")
    before = everything(stack)
    refused = bursar("import", path)
    assert refused.returncode == 4 and "--yes" in refused.stderr
    assert "openai gpt-4o-mini: line 3, input 0.15 -> 150" in refused.stderr and "claude-haiku-4-5: line 4" in refused.stderr
    assert "gpt-4o:" not in refused.stderr
    request = bots.admin_pb.ImportPricesRequest(csv=path.read_text())
    error = fails_with(Code.FAILED_PRECONDITION, bots.admin.ImportPrices, request, timeout=20)
    assert "2 of the prices" in error.details() and "gpt-4o-mini" in error.details() and "claude-haiku" in error.details()
    assert everything(stack) == before
    assert bursar("import", path, "--yes").returncode == 0
    assert price(bots, "gpt-4o-mini").input == "150"


@pytest.mark.parametrize("lines, header, why", [
    (["openai,gpt-4o,3,10", "openai,gpt-4o-mini,abc,1"], HEADER, "line 3: input_usd_per_1m"),
    (["openai,gpt-4o,3,10", "openai,gpt-4o,4,10"], HEADER, "also in force in line 2"),
    (["openai,gpt-4o,3"], HEADER, "line 2: row"),
    (["openai,gpt-4o,3,10"], "provider,model,input_cost_per_token,output_usd_per_1m", "has another unit"),
    (["openai,gpt-4o,3,10"], "provider,model,input_usd_per_1k,output_usd_per_1m", "has another unit"),
    (["openai,gpt-4o,0.000003,0.00001", "openai,gpt-4o-mini,0.00001,0.00002"], HEADER, "USD per token"),
    (["openai,gpt-4o,0.0000025,0.00001"], HEADER, "finer than"),
    (["openai,gpt-4o,3,10,x"], HEADER + ",note", 'unknown column "note"')])
def test_a_broken_list_changes_nothing_and_says_where(bursar, sheet, stack, lines, header, why):
    before = everything(stack)
    path = sheet(*lines, header=header)
    refused = bursar("import", path, *([] if "per token" in why else ["--yes"]))
    assert refused.returncode == 4 and why in refused.stderr, refused.stderr
    assert everything(stack) == before


def test_what_list_writes_as_json_is_read_again_and_changes_nothing(bots, bursar, stack, tmp_path):
    put(bots, "gpt-4o", "7", tenant="default", account="ann")
    put(bots, "gpt-4o", "6", tenant="default", effective_from_us=DAY_US)
    path = tmp_path / "prices.json"
    path.write_text(bursar("list", "--json").stdout)
    before = everything(stack)
    done = bursar("import", path, "--yes")
    assert done.returncode == 0 and "0 new, 0 changed" in done.stdout, done.stderr
    assert everything(stack) == before
    prices = json.loads(path.read_text())
    mine = next(row for row in prices["prices"] if row["account"] == "ann")
    mine["input"] = "6.5"
    path.write_text(json.dumps(prices))
    assert "1 changed" in bursar("import", path, "--yes").stdout
    assert price(bots, "gpt-4o", account="ann").input == "6.5" and price(bots, "gpt-4o").input == "6"
    mine["input"] = "cheap"
    path.write_text(json.dumps(prices))
    refused = bursar("import", path, "--yes")
    assert refused.returncode == 4 and f"prices.json:1:" in refused.stderr and f"prices[{prices['prices'].index(mine)}].input: " in refused.stderr
    path.write_text('{"prices": [\n  {"provider": "openai", "model": "gpt-4o", "input": "3"},\n  {"provider": "openai", "model": 7, "input": "3"}]}')
    refused = bursar("import", path, "--yes")
    assert refused.returncode == 2 and "prices.json:3:35: prices[1].model: must be a string" in refused.stderr, refused.stderr


def test_a_list_with_dates_gives_a_model_a_history(bots, bursar, sheet):
    path = sheet("acme-ai,dated,1,2,,2026-01-01", "acme-ai,dated,3,4,2026-01-01,", header=HEADER + ",effective_from,effective_to")
    done = bursar("import", path, "--yes")
    assert done.returncode == 0 and "2 new" in done.stdout, done.stderr
    new_year = 1_767_225_600_000_000
    assert [price(bots, "acme-ai/dated", at_us=new_year + at).input for at in (-1, 0)] == ["1", "3"]
    assert "0 new, 0 changed, 2 unchanged" in bursar("import", path, "--yes").stdout
    later = bursar("import", sheet("acme-ai,dated,5,6"), "--from", "2036-01-01", "--yes")
    assert later.returncode == 0 and price(bots, "acme-ai/dated").input == "3"
    assert price(bots, "acme-ai/dated", at_us=2_100_000_000_000_000).input == "5"


def test_a_price_changed_between_the_showing_and_the_yes_refuses(bots, stack):
    pb = bots.admin_pb
    text = HEADER + "\nopenai,gpt-4o,3,10\n"
    seen = bots.admin.ImportPrices(pb.ImportPricesRequest(csv=text, dry_run=True), timeout=20)
    assert not seen.imported and seen.changes[0].kind == pb.CHANGE_KIND_CHANGED
    put(bots, "gpt-4o", "4")
    before = everything(stack)
    request = pb.ImportPricesRequest(csv=text, expected=seen.fingerprint)
    assert "changed meanwhile" in fails_with(Code.FAILED_PRECONDITION, bots.admin.ImportPrices, request, timeout=20).details()
    assert everything(stack) == before
    again = bots.admin.ImportPrices(pb.ImportPricesRequest(csv=text, dry_run=True), timeout=20)
    assert bots.admin.ImportPrices(pb.ImportPricesRequest(csv=text, expected=again.fingerprint), timeout=20).imported


def test_estimate_and_record_take_the_accounts_price_before_the_tenants_before_everybodys(bots, bursar):
    user, other = unique("user"), unique("user")

    def estimate(who):
        return bots.limiter.EstimateCost(bots.limiter_pb.EstimateCostRequest(
            user=who, model="gpt-4o", usage=bots.types.TokenUsage(input_tokens=1_000_000)), timeout=20).cost.cost_nano_usd

    def record(who):
        check = bots.check(who, model="gpt-4o", input_tokens=1)
        return bots.record(check, model="gpt-4o", input_tokens=1_000_000).cost.cost_nano_usd

    for who in (user, other):
        bots.override(who)
        bots.account(who, tier="enterprise")
    assert estimate(user) == estimate(other) == 2_500_000_000
    assert bursar("put", "openai", "gpt-4o", "--input", "2", "--output", "8", "--tenant", "default").returncode == 0
    assert bursar("put", "openai", "gpt-4o", "--input", "1", "--output", "4", "--tenant", "default", "--account", user).returncode == 0
    assert (estimate(user), estimate(other)) == (1_000_000_000, 2_000_000_000)
    assert (record(user), record(other)) == (1_000_000_000, 2_000_000_000)
    assert "input" in bursar("show", "gpt-4o", "--account", user).stdout
    listed = json.loads(bursar("list", "--account", user, "--json").stdout)["prices"]
    assert [(row["account"], row["input"]) for row in listed] == [(user, "1")]
    ended = bursar("end", "openai", "gpt-4o", "--tenant", "default", "--account", user)
    assert ended.returncode == 0 and user in ended.stdout, ended.stderr
    assert (estimate(user), record(user)) == (2_000_000_000, 2_000_000_000)
    assert bursar("end", "openai", "gpt-4o", "--tenant", "default", "--account", user).returncode == 4
    assert bursar("end", "openai", "gpt-4o", "--tenant", "default", "--reason", "over").returncode == 0
    assert estimate(user) == 2_500_000_000
    log = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(action="price.end"), timeout=20).entries
    assert [entry.reason for entry in log] == ["over", ""] and json.loads(log[0].before)["input"] == 2_000_000


def test_a_list_for_one_customer_is_his_alone(bots, bursar, sheet):
    user = unique("user")
    done = bursar("import", sheet("openai,gpt-4o,2,8"), "--tenant", "default", "--account", user, "--yes")
    assert done.returncode == 0 and "1 new" in done.stdout, done.stderr
    assert price(bots, "gpt-4o", account=user).input == "2" and price(bots, "gpt-4o").input == "2.5"


def test_thousands_of_rows_are_put_at_once_and_too_many_are_refused(bots, bursar, sheet):
    def rows(count):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(["acme-ai", f"m-{i}", i + 1, 2 * i + 2] for i in range(count))
        return sheet(*text.getvalue().splitlines())

    done = bursar("import", rows(2000), "--yes")
    assert done.returncode == 0 and "imported: 2000 new" in done.stdout, done.stderr
    assert price(bots, "acme-ai/m-1999").input == "2000"
    refused = bursar("import", rows(10001), "--yes")
    assert refused.returncode == 4 and "at most 10000 rows" in refused.stderr


def parts(price):
    """What a price is made of, without its times and its source."""
    return ({name: getattr(price, name) for name in ("input", "output", "cached_input", "cache_write", "reasoning", "audio_input", "audio_output")},
            {mode.mode: (mode.numerator, mode.denominator) for mode in price.modes},
            {tier.above_tokens: (tier.input, tier.output, tier.cached_input, tier.cache_write) for tier in price.context_tiers})


@pytest.mark.parametrize("typed, rates, modes, above", [
    (["--input", "2.2"], {"input": "2.2"}, {}, {}),
    (["--input", "2.2", "--output", "11"], {"input": "2.2", "output": "11"}, {}, {}),
    (["--cached-input", "0.25"], {"cached_input": "0.25"}, {}, {}),
    (["--cached-input", "none"], {"cached_input": ""}, {}, {}),
    (["--mode", "turbo=3/1"], {}, {"turbo": (3, 1)}, {}),
    (["--mode", "batch=1/4"], {}, {"batch": (1, 4)}, {}),
    (["--above", "272000:output=19"], {}, {}, {272000: ("4", "19", "0.4", "5")}),
    (["--above", "500000:input=8"], {}, {}, {500000: ("8", "", "", "")})])
def test_put_leaves_what_it_does_not_name(bots, bursar, typed, rates, modes, above):
    before = price(bots, "gpt-5.6-terra")
    was_rates, was_modes, was_above = parts(before)
    assert was_rates["cached_input"] and was_modes and was_above[272000] == ("4", "18", "0.4", "5")
    done = bursar("put", "openai", "gpt-5.6-terra", *typed)
    assert done.returncode == 0, done.stderr
    assert "OLD" in done.stdout and "0 new, 1 changed" in done.stdout
    after = price(bots, "gpt-5.6-terra")
    assert parts(after) == ({**was_rates, **rates}, {**was_modes, **modes}, {**was_above, **above})
    assert after.effective_from_us > before.effective_from_us and price(bots, "gpt-5.6-terra", at_us=after.effective_from_us - 1) .input == before.input


def test_put_takes_away_what_is_none(bots, bursar):
    assert bursar("put", "openai", "gpt-5.6-terra", "--mode", "none", "--above", "none", "--mode", "slow=1/3").returncode == 0
    _, modes, above = parts(price(bots, "gpt-5.6-terra"))
    assert modes == {"slow": (1, 3)} and above == {}


def test_a_tenants_first_price_keeps_what_counted_for_it_until_then(bots, bursar):
    rates, modes, above = parts(price(bots, "gpt-5.6-terra"))
    done = bursar("put", "openai", "gpt-5.6-terra", "--input", "1.9", "--tenant", "default", "--source", "contract 17")
    assert done.returncode == 0 and "1 new" in done.stdout and "-5.0%" in done.stdout, done.stdout + done.stderr
    mine = price(bots, "gpt-5.6-terra")
    assert (mine.tenant, mine.source) == ("default", "contract 17") and parts(mine) == ({**rates, "input": "1.9"}, modes, above)
    assert bursar("put", "openai", "gpt-5.6-terra", "--output", "11", "--tenant", "default", "--account", "ann").returncode == 0
    assert parts(price(bots, "gpt-5.6-terra", account="ann")) == ({**rates, "input": "1.9", "output": "11"}, modes, above)
    user = unique("user")
    record = bots.record(bots.check(user, model="gpt-5.6-terra"), mode="batch", cached_input_tokens=1000)
    assert not record.cost.unpriced and not record.cost.parent_rate


def test_put_asks_for_a_second_word_and_shows_a_dry_run(bots, bursar, stack):
    before = everything(stack)
    far = bursar("put", "openai", "gpt-4o", "--input", "250")
    assert far.returncode == 4 and "openai gpt-4o: input 2.5 -> 250" in far.stderr and "--yes" in far.stderr
    for_one = bursar("put", "openai", "gpt-4o", "--input", "250", "--tenant", "default")
    assert for_one.returncode == 4 and "2.5 -> 250" in for_one.stderr
    shown = bursar("put", "openai", "gpt-4o", "--input", "3", "--dry-run")
    assert shown.returncode == 0 and "+20.0%" in shown.stdout
    same = bursar("put", "openai", "gpt-4o", "--input", "2.5")
    assert same.returncode == 0 and "nothing to change" in same.stdout
    assert everything(stack) == before
    assert bursar("put", "openai", "gpt-4o", "--input", "250", "--yes").returncode == 0
    assert price(bots, "gpt-4o").input == "250"


@pytest.mark.parametrize("typed, code, why", [
    ([], 4, "input: is missing"), (["--input", "free"], 2, "or none"), (["--output", "1"], 4, "input: is missing"),
    (["--input", "1", "--until", "2026-01-01", "--from", "2027-01-01"], 4, "--until: is not after"),
    (["--input", "1", "--mode", "none=1/2=3"], 2, "--mode")])
def test_what_makes_no_price_is_refused(bursar, stack, typed, code, why):
    before = everything(stack)
    refused = bursar("put", "openai", "gpt-never", *typed)
    assert refused.returncode == code and why in refused.stderr and "prices[" not in refused.stderr, refused.stderr
    assert everything(stack) == before


def test_a_wrong_page_token_is_refused(bots):
    request = bots.admin_pb.ListPricesRequest(page_token="x")
    assert fails_with(Code.INVALID_ARGUMENT, bots.admin.ListPrices, request, timeout=10).details().startswith("page_token: ")
