"""Free allowances: the first requests of a day are free, once, whoever records them and however often anything is repeated."""
import concurrent.futures
import contextlib
import datetime

import grpc
import pytest

from bots import fails_with, unique
from test_rerate import adjust, bill, day, filled, proven, put, rerate, told, used, user_of

Code = grpc.StatusCode
PROMPT = 35_000_000  # nano-USD: 35 USD for a thousand
INPUT = 1_000  # of one token, at 1 USD for a million


@pytest.fixture
def fleet(bots):
    """The fleet in a tenant of its own."""
    fleet = bots.at(bots.address)
    fleet.tenant = unique("tenant")
    yield fleet
    fleet.close()


def model_with(fleet, allowances, rates="grounded_prompts=35", **fields):
    model = unique("m")
    put(fleet, model, "1", rates=rates, allowances=allowances, **fields)
    return model


def search(fleet, user, model, prompts=1, served=""):
    """Records a request that has searched; what it was charged."""
    answer = fleet.check(user, model=model, input_tokens=1)
    return fleet.record(answer, model=served, input_tokens=1, grounded_prompts=prompts).cost.cost_nano_usd


def ask(stack, statement, *args):
    with stack.sql() as sql:
        sql.execute(statement, args)
        return sql.fetchall()


def waiting(stack, tenant):
    return ask(stack, "SELECT count(*) FROM allowance_due WHERE tenant = %s", tenant)[0][0]


@pytest.fixture
def decided(stack, until):
    """decided(fleet): what the tenant's requests cost, once all of it is decided and in the ledger."""
    def wait(fleet):
        fleet.drained()
        until(lambda: waiting(stack, fleet.tenant) == 0)
        return proven(fleet)
    return wait


def given(stack, fleet):
    """{pool: pieces given away}, which is what the shares of the requests come to."""
    periods = ask(stack, "SELECT pool, starts_us, used FROM allowance_periods WHERE tenant = %s ORDER BY pool, starts_us", fleet.tenant)
    shares = ask(stack, "SELECT pool, starts_us, sum(count)::bigint FROM allowance_shares WHERE tenant = %s GROUP BY 1, 2 ORDER BY 1, 2", fleet.tenant)
    assert [row for row in periods if row[2]] == shares
    return [(pool, count) for pool, _, count in shares]


def allowance(fleet, user=None):
    """Of the bill: requests, what is free, what was re-rated."""
    ref = fleet.key(user) if user else fleet.key(fleet.tenant, "TENANT")
    total = list(fleet.admin.GetReport(fleet.admin_pb.GetReportRequest(ref=ref, by=[2]), timeout=20))[-1].total
    return total.allowance_requests, total.allowance_nano_usd, total.corrected_requests, total.corrections_nano_usd


@contextlib.contextmanager
def undecided(stack):
    """Nothing is decided in the meantime: somebody else is at it."""
    with stack.sql() as sql:
        sql.execute("INSERT INTO leases VALUES ('allowances', 'test', 1, now() + interval '1 hour') ON CONFLICT (name) DO UPDATE SET "
                    "holder = 'test', until = excluded.until")
    try:
        yield
    finally:
        with stack.sql() as sql:
            sql.execute("DELETE FROM leases WHERE name = 'allowances'")


def test_the_first_of_a_day_are_free_and_the_rest_costs_the_list_price(fleet, stack, decided):
    fleet.account("red", "TEAM")
    user, model = user_of(fleet, team="red"), model_with(fleet, "grounded_prompts=5/day")
    assert [search(fleet, user, model, 2) for _ in range(3)] == [2 * PROMPT + INPUT] * 3, "a record answers the list price"
    assert decided(fleet) == PROMPT + 3 * INPUT
    assert used(fleet, user) == [PROMPT + 3 * INPUT, PROMPT + 3 * INPUT, 3, 3], "the counters follow"
    for owner in (user, None):
        assert allowance(fleet, owner) == (3, 5 * PROMPT, 0, 0)
    assert bill(fleet) == {("acme-ai", model): (3, 0, PROMPT + 3 * INPUT, 0)}
    rows = ask(stack, "SELECT entry, sum(cost_nano)::bigint, sum(allowance_nano)::bigint, count(*) FROM ledger WHERE tenant = %s GROUP BY 1 ORDER BY 1",
               fleet.tenant)
    assert rows == [(0, 6 * PROMPT + 3 * INPUT, None, 3), (4, -5 * PROMPT, 5 * PROMPT, 3)], "list, allowance and what is left are all there"
    assert given(stack, fleet) == [(model, 5)]
    assert told(rerate(fleet)) == (0, 0, 0), "a re-rating finds nothing"
    search(fleet, user, model)
    assert decided(fleet) == 2 * PROMPT + 4 * INPUT
    stack.redis.flushall()
    assert used(fleet, user)[0] == 2 * PROMPT + 4 * INPUT, "as the ledger seeds it"


def test_what_is_held_does_not_count_on_it(fleet, decided):
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=1000/day web_searches=5/month", rates="grounded_prompts=35 web_searches=10")
    expected = [fleet.limiter_pb.ExpectedUse(dimension=fleet.types.DIMENSION_GROUNDED_PROMPTS, amount=3)]
    answer = fleet.check(user, model=model, input_tokens=1, max_output_tokens=0, expected=expected)
    held = fleet.figures(user)[fleet.types.ACCOUNT_KIND_USER, "day"].held
    assert held >= 3 * PROMPT + INPUT, "the list price"
    fleet.record(answer, input_tokens=1, grounded_prompts=3, web_searches=7)
    assert decided(fleet) == INPUT + 2 * 10_000_000


def test_many_workers_and_processes_give_away_no_more_than_there_is(two_fleets, stack, decided):
    one, other = two_fleets
    one.tenant = other.tenant = unique("tenant")
    model = model_with(one, "grounded_prompts=17/day")
    users = [user_of(one) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: search((one, other)[n % 2], users[n % 8], model), range(64)))
    assert decided(one) == (64 - 17) * PROMPT + 64 * INPUT
    assert given(stack, one) == [(model, 17)]
    assert sum(used(one, user)[0] for user in users) == (64 - 17) * PROMPT + 64 * INPUT
    assert allowance(one) == (17, 17 * PROMPT, 0, 0)


def test_a_process_that_is_killed_loses_nothing_and_gives_nothing_twice(start_bursard, fleet_at, stack, decided, until):
    server = start_bursard(workers=2)
    fleet = fleet_at(server.grpc_addr)
    tenant = fleet.tenant = unique("tenant")
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=40/day")
    for _ in range(60):
        search(fleet, user, model)
    until(lambda: ask(stack, "SELECT count(*) FROM allowance_shares WHERE tenant = %s", tenant)[0][0] > 0)
    server.kill()
    with stack.sql() as sql:
        sql.execute("DELETE FROM leases WHERE name = 'allowances'")  # it would end by itself
    fleet = fleet_at(start_bursard().grpc_addr)
    fleet.tenant = tenant
    assert decided(fleet) == 20 * PROMPT + 60 * INPUT == used(fleet, user)[0]
    assert given(stack, fleet) == [(model, 40)]
    assert ask(stack, "SELECT count(*), count(DISTINCT adjusts) FROM ledger WHERE tenant = %s AND entry = 4", tenant) == [(40, 40)]


def test_a_decision_waits_for_the_ledger_and_is_not_made_twice(fleet, stack, decided, until):
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=3/day")
    with undecided(stack):
        for _ in range(5):
            search(fleet, user, model)
        assert proven(fleet) == 5 * (PROMPT + INPUT) == used(fleet, user)[0], "until then everything agrees on the list price"
        assert waiting(stack, fleet.tenant) == 5
        sql = stack.sql()
    with sql as cursor:  # no correction is written as long as this is open
        cursor.execute("BEGIN; LOCK TABLE usage_daily IN SHARE MODE")
        until(lambda: used(fleet, user)[0] == 2 * PROMPT + 5 * INPUT)
        until(lambda: waiting(stack, fleet.tenant) == 3)
        assert rerate(fleet).waiting == 3
        cursor.execute("COMMIT")
    assert decided(fleet) == 2 * PROMPT + 5 * INPUT == used(fleet, user)[0]


def test_the_day_of_the_zone_counts_also_when_its_clocks_change(start_moved, clock, stack, decided):
    fleet = start_moved()
    fleet.tenant = unique("tenant")
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=1/day,zone=America/Los_Angeles")
    utc = datetime.timezone.utc
    for at in [(13, 7, 59), (13, 8, 1), (14, 7, 59), (14, 8, 1), (15, 6, 59), (15, 7, 1)]:  # on the 14th the day has 23 hours
        clock.set(datetime.datetime(2027, 3, *at, tzinfo=utc))
        search(fleet, user, model, 2)
    assert decided(fleet) == 8 * PROMPT + 6 * INPUT
    starts = ask(stack, "SELECT starts_us, used FROM allowance_periods WHERE tenant = %s ORDER BY 1", fleet.tenant)
    assert [(datetime.datetime.fromtimestamp(us / 1e6, utc).strftime("%d %H:%M"), count) for us, count in starts] == [
        ("12 08:00", 1), ("13 08:00", 1), ("14 08:00", 1), ("15 07:00", 1)]


def test_a_month_is_one_allowance_and_models_share_what_has_a_name(start_moved, clock, stack, decided, until):
    fleet = start_moved()
    fleet.tenant = unique("tenant")
    user = user_of(fleet)
    flash, lite = (model_with(fleet, "grounded_prompts=5/month,shared=flash") for _ in range(2))
    own = model_with(fleet, "grounded_prompts=5/month")
    for model in (flash, lite, own):
        search(fleet, user, model, 3)
        clock.advance(86_400)
    assert decided(fleet) == 1 * PROMPT + 3 * INPUT
    assert given(stack, fleet) == [("flash", 5), (own, 3)]
    clock.advance(31 * 86_400)
    search(fleet, user, lite, 3)
    until(lambda: given(stack, fleet) == [("flash", 5), ("flash", 3), (own, 3)])
    until(lambda: waiting(stack, fleet.tenant) == 0 and used(fleet, user)[1] == INPUT)


def test_each_tenant_has_its_own(fleet, stack, decided):
    model, other = model_with(fleet, "grounded_prompts=2/day"), fleet.at(fleet.address)
    other.tenant = unique("tenant")
    for one in (fleet, other):
        search(one, user_of(one), model, 3)
    assert decided(fleet) == decided(other) == PROMPT + INPUT
    assert given(stack, fleet) == given(stack, other) == [(model, 2)]
    other.close()


def test_a_record_that_is_repeated_uses_it_once_and_each_attempt_uses_it(fleet, stack, decided):
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=10/day")
    answer = fleet.check(user, model=model, input_tokens=1)
    for attempt in (0, 0, 1, 1, 2):
        fleet.record(answer, attempt=attempt, keep_open=attempt < 2, input_tokens=1, grounded_prompts=3)
    assert decided(fleet) == 3 * INPUT
    assert given(stack, fleet) == [(model, 9)]


def test_tokens_can_be_free_and_count_towards_the_context(fleet, decided):
    user, model = user_of(fleet), unique("m")
    put(fleet, model, "1", allowances="input=150/day", context_tiers=[fleet.admin_pb.ContextTier(above_tokens=100, input="3")])
    for _ in range(2):
        fleet.record(fleet.check(user, model=model, input_tokens=1), input_tokens=101)
    assert decided(fleet) == (202 - 150) * 3_000


def corrected(fleet, model, input="1", rates="grounded_prompts=35", **fields):
    """Another price since always, for the tenant."""
    put(fleet, model, input, rates=rates, effective_from_us=1, tenant=fleet.tenant, **fields)


def test_a_re_rating_moves_list_price_and_allowance(fleet, stack, decided):
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=3/day")
    for _ in range(4):
        search(fleet, user, model)
    assert decided(fleet) == PROMPT + 4 * INPUT
    corrected(fleet, model, rates="grounded_prompts=14", allowances="grounded_prompts=3/day")
    before, after = PROMPT + 4 * INPUT, 14_000_000 + 4 * INPUT
    assert told(rerate(fleet, dry_run=True)) == (4, before, after)
    assert told(rerate(fleet)) == (4, before, after)
    assert proven(fleet) == after == used(fleet, user)[0]
    assert allowance(fleet) == (3, 3 * 14_000_000, 4, 4 * (14_000_000 - PROMPT))
    assert given(stack, fleet) == [(model, 3)]
    assert told(rerate(fleet)) == (0, 0, 0)


@pytest.mark.parametrize("now, left", [("grounded_prompts=2/day", 2), ("", 4), ("grounded_prompts=4/month", 0), ("grounded_prompts=3/day,shared=x", 1)])
def test_another_allowance_for_the_past_gives_and_takes_back(fleet, stack, decided, now, left):
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=3/day")
    for _ in range(4):
        search(fleet, user, model)
    assert decided(fleet) == PROMPT + 4 * INPUT
    corrected(fleet, model, allowances=now)
    dry = told(rerate(fleet, dry_run=True))
    assert told(rerate(fleet)) == dry
    assert proven(fleet) == left * PROMPT + 4 * INPUT == used(fleet, user)[0]
    assert sum(count for _, count in given(stack, fleet)) == 4 - left
    assert allowance(fleet) == (4 - left, (4 - left) * PROMPT, 0, 0)
    assert told(rerate(fleet)) == (0, 0, 0)


def test_an_allowance_that_is_put_later_covers_earlier_records_when_they_are_re_rated(fleet, stack, decided):
    """More records than fit a page: a dry run counts what it would give away on the pages before."""
    user, model = user_of(fleet), model_with(fleet, "")
    search(fleet, user, model)
    fleet.drained()
    filled(stack, fleet, user, model, 1200)
    with stack.sql() as sql:
        sql.execute("UPDATE usage_meters SET count = count * 1200 WHERE tenant = %s", (fleet.tenant,))
    list_price = 1200 * (PROMPT + INPUT)
    assert proven(fleet) == list_price
    corrected(fleet, model, allowances="grounded_prompts=700/day")
    dry = rerate(fleet, dry_run=True)
    assert dry.cost_before_nano_usd - dry.cost_after_nano_usd == 700 * PROMPT
    assert told(rerate(fleet)) == told(dry)
    assert proven(fleet) == list_price - 700 * PROMPT == used(fleet, user)[0]
    assert given(stack, fleet) == [(model, 700)]


def test_another_models_price_brings_no_allowance_until_the_model_has_its_own(fleet, stack, decided):
    user, known, model = user_of(fleet), model_with(fleet, "grounded_prompts=5/day"), unique("new")
    search(fleet, user, known, served=model)
    assert decided(fleet) == PROMPT + INPUT
    put(fleet, model, "1", rates="grounded_prompts=35", allowances="grounded_prompts=5/day")
    assert told(rerate(fleet)) == (1, PROMPT + INPUT, INPUT)
    assert proven(fleet) == INPUT and given(stack, fleet) == [(model, 1)]
    assert bill(fleet) == {("acme-ai", model): (1, 0, INPUT, 0)}


def test_what_the_provider_says_is_charged_as_it_says(fleet, stack, decided):
    pb = fleet.admin_pb
    fleet.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id=fleet.tenant, cost_source=pb.COST_SOURCE_PROVIDER)), timeout=20)
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=2/day")
    fleet.limiter.Record(fleet.limiter_pb.RecordRequest(
        reservation=fleet.ref(fleet.check(user, model=model, input_tokens=1)), provider_cost=fleet.types.ProviderCost(nano_usd=7),
        usage=fleet.types.TokenUsage(input_tokens=1, grounded_prompts=1)), timeout=10)
    assert decided(fleet) == 7
    search(fleet, user, model, 2)
    assert decided(fleet) == 7 + PROMPT + INPUT, "its request has used one of the two"


def test_a_correction_by_hand_stays_and_an_erased_user_keeps_what_they_had(fleet, stack, decided):
    user, model = user_of(fleet), model_with(fleet, "grounded_prompts=3/day")
    with undecided(stack):
        answer = fleet.check(user, model=model, input_tokens=1)
        fleet.record(answer, input_tokens=1, grounded_prompts=1)
        fleet.drained()
        adjust(fleet, answer, cost_nano_usd=-5)
        fleet.drained()
    assert decided(fleet) == PROMPT + INPUT - 5 and given(stack, fleet) == []
    search(fleet, user, model, 2)
    assert decided(fleet) == PROMPT + 2 * INPUT - 5
    with undecided(stack):
        search(fleet, user, model, 2)
        fleet.drained()
        fleet.admin.DeleteAccount(fleet.admin_pb.DeleteAccountRequest(ref=fleet.key(user)), timeout=20)
        fleet.admin.EraseAccount(fleet.admin_pb.EraseAccountRequest(ref=fleet.key(user)), timeout=20)
        assert waiting(stack, fleet.tenant) == 0
    assert given(stack, fleet) == [(model, 2)]
    rows = ask(stack, "SELECT count(*) FROM allowance_shares s JOIN ledger l USING (tenant, day, user_id, request_id, attempt) WHERE s.tenant = %s",
               fleet.tenant)
    assert rows == [(1,)], "under the same pseudonyms as in the ledger"


@pytest.mark.parametrize("text, why", [
    ("grounded_prompts=5", "allowances: "), ("grounded_prompts=5/hour", "allowances: "), ("prompts=5/day", "allowances: "),
    ("grounded_prompts=0/day", "allowances[0]: "), ("grounded_prompts=1/day,zone=Mars/Olympus", "allowances[0]: "),
    ("grounded_prompts=1/day,shared=a/b", "allowances[0]: "), ("grounded_prompts=1/day grounded_prompts=2/month", "allowances[1]: "),
    ("grounded_prompts=1/day,until=5", "allowances: "), ("a=1/day b=1/day c=1/day d=1/day e=1/day", "allowances: "),
])
def test_what_is_not_an_allowance_is_refused(fleet, text, why):
    error = fails_with(Code.INVALID_ARGUMENT, put, fleet, unique("m"), "1", allowances=text)
    assert error.details().removeprefix("price.").startswith(why), error.details()


def test_the_command_line_puts_shows_imports_and_reports_them(bursar, fleet, decided, tmp_path):
    model, options = unique("m"), ("--tenant", fleet.tenant)
    text = "grounded_prompts=2/day,zone=America/Los_Angeles,shared=flash"
    bursar("price", "put", "acme-ai", model, "--input", "1", "--rate", "grounded_prompts=35", "--rate", "web_searches=10", "--allowance", text,
           "--allowance", "web_searches=7/month", *options)
    show = lambda: bursar("price", "show", model, *options).stdout
    assert f"{text} web_searches=7/month" in show()
    bursar("price", "put", "acme-ai", model, "--input", "2", *options)
    assert text in show(), "what a change does not name stays"
    for searched in (1, 2):
        search(fleet, user_of(fleet), model, searched)
    cost = decided(fleet)
    assert cost == PROMPT + 2 * 2 * INPUT
    report = bursar("report", "month", "--kind", "tenant", fleet.tenant, *options).stdout
    assert "free allowances: $0.07 of 2 requests; without them the total is $0.105004" in report, report
    listed = tmp_path / "prices.csv"
    listed.write_text(f'provider,model,input_usd_per_1m,allowances\nacme-ai,{model},2,"web_searches=7/month {text}"\n')
    assert bursar("price", "check", str(listed), *options).returncode == 0, "in any order"
    listed.write_text(f"provider,model,input_usd_per_1m\nacme-ai,{model},2\n")
    assert bursar("price", "check", str(listed), *options).returncode == 0, "without the column"
    listed.write_text(f"provider,model,input_usd_per_1m,allowances\nacme-ai,{model},2,web_searches=8/month\n")
    assert bursar("price", "check", str(listed), *options).returncode == 1
    bursar("price", "import", str(listed), "--yes", *options)
    assert "web_searches=8/month" in show() and text not in show()
    bursar("price", "put", "acme-ai", model, "--allowance", "none", *options)
    assert "allowance" not in show()
