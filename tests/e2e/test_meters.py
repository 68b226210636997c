"""Everything a provider bills: what it costs, by three calculators; and where it is kept and shown."""
import csv
import datetime
import fractions
import io
import json
import math
import random
import zoneinfo

import grpc
import pytest

from bots import Bots, fails_with, unique

Code = grpc.StatusCode
MOST = 2**53 - 1

# The table of docs/money.md: meter, its field, how many a price is for, on which side it counts, whose rate it has without its own.
METERS = {
    "input": ("input_tokens", 10**6, "in", ""),
    "cached_input": ("cached_input_tokens", 10**6, "in", "input"),
    "cache_write": ("cache_write_tokens", 10**6, "in", "input"),
    "output": ("output_tokens", 10**6, "out", ""),
    "reasoning": ("reasoning_tokens", 10**6, "out", "output"),
    "audio_input": ("audio_input_tokens", 10**6, "in", "input"),
    "audio_output": ("audio_output_tokens", 10**6, "out", "output"),
    "cache_write_1h": ("cache_write_1h_tokens", 10**6, "in", "cache_write"),
    "cached_audio_input": ("cached_audio_input_tokens", 10**6, "in", "cached_input"),
    "image_input": ("image_input_tokens", 10**6, "in", "input"),
    "cached_image_input": ("cached_image_input_tokens", 10**6, "in", "cached_input"),
    "image_output": ("image_output_tokens", 10**6, "out", "output"),
    "video_input": ("video_input_tokens", 10**6, "in", "input"),
    "citation": ("citation_tokens", 10**6, "in", "input"),
    "cache_storage": ("cache_storage_token_hours", 10**6, "fee", ""),
    "characters": ("characters", 10**6, "", ""),
    "audio_seconds": ("audio_seconds", 1, "", ""),
    "video_seconds": ("video_seconds", 1, "", ""),
    "input_images": ("input_images", 1, "", ""),
    "output_images": ("output_images", 1, "", ""),
    "pages": ("pages", 1000, "", ""),
    "calls": ("calls", 1000, "fee", ""),
    "web_searches": ("web_searches", 1000, "fee", ""),
    "file_searches": ("file_searches", 1000, "fee", ""),
    "code_executions": ("code_executions", 1000, "fee", ""),
    "map_searches": ("map_searches", 1000, "fee", ""),
    "grounded_prompts": ("grounded_prompts", 1000, "fee", ""),
    "search_units": ("search_units", 1000, "fee", ""),
}
KEPT = list(METERS)[:7]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def decimal(value):
    """A multiple of 10^-6 as people write it."""
    return f"{value // 10**6}.{value % 10**6:06d}".rstrip("0").rstrip(".")


def place(where):
    """Of the times of a price: minutes east of UTC, or a zone."""
    return f"[{where}]" if isinstance(where, str) else f"{'-' if where < 0 else '+'}{abs(where) // 60:02d}:{abs(where) % 60:02d}"


def minutes_east(where, at_us):
    if not isinstance(where, str):
        return where
    at = datetime.datetime.fromtimestamp(at_us // 1_000_000, zoneinfo.ZoneInfo(where))
    return int(at.utcoffset().total_seconds()) // 60


class Rule:
    """A random price, as text for the server and as fractions for itself."""

    def __init__(self, draw, model):
        self.draw, self.model = draw, model
        self.base = self.rates(0.5) | {"input": self.rate()}
        self.tiers = sorted({draw.randint(1, 5000) for _ in range(draw.choice([0, 1, 2]))})
        self.above = {n: self.rates(0.3) or {"input": self.rate()} for n in self.tiers}
        self.modes = {name: fractions.Fraction(*self.ratio(10000)) for name in ("batch", "fast")[:draw.randint(0, 2)]}
        self.mode_rates = {(mode, above, meter): self.rate() for mode in self.modes for above in [0, *self.tiers] for meter in METERS
                           if draw.random() < 0.12}
        self.regions = {name: fractions.Fraction(*self.ratio(1000)) for name in ("us", "eu")[:draw.randint(0, 2)]}
        self.hours = [(draw.choice([0, 480, -210, "America/New_York", "Europe/Berlin"]), draw.randint(1, 127), draw.randint(0, 1439), draw.randint(1, 1440),
                       fractions.Fraction(*self.ratio(1000))) for _ in range(draw.choice([0, 0, 1, 2]))]

    def rate(self):
        return self.draw.choice([0, self.draw.randint(1, 10**6), self.draw.randint(1, 10**8)])

    def rates(self, share):
        return {meter: self.rate() for meter in METERS if self.draw.random() < share}

    def ratio(self, most):
        return self.draw.randint(1, most if self.draw.random() < 0.2 else 9), self.draw.randint(1, most if self.draw.random() < 0.2 else 9)

    def message(self, bots):
        pb = bots.admin_pb
        fields = {m: decimal(self.base[m]) for m in KEPT if m in self.base}
        text = " ".join(f"{m}={decimal(v)}" for m, v in self.base.items() if m not in KEPT)
        tiers = [pb.ContextTier(above_tokens=n, rates=" ".join(f"{m}={decimal(v)}" for m, v in rates.items()))
                 for n, rates in self.above.items()]
        hours = " ".join(f"{','.join(d for i, d in enumerate(DAYS) if days >> i & 1)}@{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}"
                         f"{place(where)}={r.numerator}/{r.denominator}" for where, days, a, b, r in self.hours)
        return pb.Price(
            provider="rules", model=self.model, rates=text, context_tiers=tiers, hours=hours,
            modes=[pb.ModeRatio(mode=n, numerator=r.numerator, denominator=r.denominator) for n, r in self.modes.items()],
            mode_rates=" ".join(f"{mode}{f'>{n}' if n else ''}:{m}={decimal(v)}" for (mode, n, m), v in self.mode_rates.items()),
            regions=" ".join(f"{n}={r.numerator}/{r.denominator}" for n, r in self.regions.items()), **fields)

    def own(self, mode, tier, meter):
        for above in ([tier] if tier else []):
            if (mode, above, meter) in self.mode_rates:
                return self.mode_rates[mode, above, meter]
        if not tier or meter not in self.above[tier]:
            return self.mode_rates.get((mode, 0, meter))
        return None

    def hour_ratio(self, at_us):
        for where, days, start, end, ratio in self.hours:
            day, minute = divmod(at_us // 60_000_000 + minutes_east(where, at_us), 1440)
            overnight = end <= start
            if overnight and minute < end:
                day -= 1
            elif minute < start or (not overnight and minute >= end):
                continue
            if days >> (day + 3) % 7 & 1:
                return ratio
        return fractions.Fraction(1)

    def cost(self, used, mode, region, at_us):
        """Nano-USD, rounded up once."""
        size = sum(n for meter, n in used.items() if METERS[meter][2] == "in")
        tier = max((n for n in self.tiers if size > n), default=0)
        place = self.regions.get(region, 1) * self.hour_ratio(at_us)
        total = fractions.Fraction(0)
        for meter, count in used.items():
            at, rate, own = meter, None, None
            while at and rate is None:
                own = self.own(mode, tier, at) if mode else None
                rate = own if own is not None else self.above.get(tier, {}).get(at, self.base.get(at))
                at = METERS[at][3]
            ratio = place if own is not None else place * self.modes.get(mode, 1)
            if METERS[meter][2] == "fee" and own is None:
                ratio = 1
            total += fractions.Fraction((rate or 0) * count, METERS[meter][1]) * ratio * 1000  # 10^-6 USD are 1,000 nano-USD
        return math.ceil(total)


# The same from what the table of prices says, in PostgreSQL's exact numbers. Integers: pico-USD for one.
SQL = """
WITH RECURSIVE p AS (SELECT * FROM model_prices WHERE provider = 'rules' AND model = %(model)s),
used AS (SELECT key AS meter, value::numeric AS n FROM jsonb_each_text(%(used)s::jsonb)),
meters AS (SELECT m->>'meter' AS meter, m->>'parent' AS parent, m->>'side' AS side FROM jsonb_array_elements(%(meters)s::jsonb) m),
base AS (SELECT r.* FROM p, LATERAL (SELECT key AS meter, value::numeric AS pico FROM jsonb_each_text(jsonb_strip_nulls(jsonb_build_object(
    'input', input, 'cached_input', cached_input, 'cache_write', cache_write, 'output', output, 'reasoning', reasoning,
    'audio_input', audio_input, 'audio_output', audio_output)) || coalesce(more->'rates', '{}'))) r),
tier AS (SELECT c, (c->>'above')::numeric AS above FROM p, jsonb_array_elements(context) c
    WHERE (c->>'above')::numeric < (SELECT coalesce(sum(n), 0) FROM used JOIN meters USING (meter) WHERE side = 'in')
    ORDER BY 2 DESC LIMIT 1),
own AS (SELECT r->>'meter' AS meter, (r->>'above')::numeric AS above, (r->>'pico')::numeric AS pico
    FROM p, jsonb_array_elements(coalesce(more->'mode_rates', '[]')) r WHERE r->>'mode' = %(mode)s),
rates AS (SELECT m.meter, coalesce(
        (SELECT pico FROM own, tier WHERE own.meter = m.meter AND own.above = tier.above),
        (SELECT pico FROM own WHERE own.meter = m.meter AND own.above = 0 AND NOT EXISTS (SELECT FROM tier WHERE c ? m.meter))) AS own,
        coalesce((SELECT (c->>m.meter)::numeric FROM tier), (SELECT pico FROM base WHERE base.meter = m.meter)) AS plain
    FROM meters m),
climb AS (SELECT meter, meter AS at FROM used UNION ALL
    SELECT climb.meter, parent FROM climb JOIN rates ON rates.meter = climb.at JOIN meters ON meters.meter = climb.at
    WHERE own IS NULL AND plain IS NULL AND parent <> ''),
found AS (SELECT climb.meter, own, plain FROM climb JOIN rates ON rates.meter = climb.at WHERE own IS NOT NULL OR plain IS NOT NULL),
ratio AS (SELECT coalesce((SELECT modes->%(mode)s FROM p), '[1, 1]') AS mode, coalesce((SELECT more->'regions'->%(region)s FROM p), '[1, 1]') AS region,
    coalesce((SELECT jsonb_build_array(h->4, h->5) FROM p, jsonb_array_elements(coalesce(more->'hours', '[]')) WITH ORDINALITY t (h, n),
        LATERAL (SELECT CASE WHEN h->>6 IS NULL THEN %(at)s::bigint / 60000000 + (h->>0)::int
            ELSE extract(epoch FROM to_timestamp(%(at)s::bigint / 1000000) AT TIME ZONE (h->>6))::bigint / 60 END AS minutes) m,
        LATERAL (SELECT minutes / 1440 AS day, minutes %% 1440 AS minute, (h->>2)::int AS a, (h->>3)::int AS b, (h->>1)::int AS days) d
        WHERE (a < b AND minute >= a AND minute < b AND days >> ((day + 3) %% 7)::int & 1 = 1)
           OR (b <= a AND ((minute < b AND days >> ((day + 2) %% 7)::int & 1 = 1)
               OR (minute >= b AND minute >= a AND days >> ((day + 3) %% 7)::int & 1 = 1)))
        ORDER BY n LIMIT 1), '[1, 1]') AS hour),
sums AS (SELECT coalesce(sum(n * coalesce(own, plain)) FILTER (WHERE side = 'fee' AND own IS NULL), 0) AS fees,
        coalesce(sum(n * own) FILTER (WHERE own IS NOT NULL), 0) AS own,
        coalesce(sum(n * plain) FILTER (WHERE side <> 'fee' AND own IS NULL), 0) AS plain
    FROM used JOIN meters USING (meter) JOIN found USING (meter))
SELECT div(fees * md * rd * hd + own * md * rn * hn + plain * mn * rn * hn + 1000 * md * rd * hd - 1, 1000 * md * rd * hd)
FROM sums, ratio, LATERAL (SELECT (mode->>0)::numeric AS mn, (mode->>1)::numeric AS md, (region->>0)::numeric AS rn,
    (region->>1)::numeric AS rd, (hour->>0)::numeric AS hn, (hour->>1)::numeric AS hd) r"""


def usage(draw):
    return {meter: draw.randint(1, draw.choice([5, 1000, 10**6])) for meter in METERS if draw.random() < 0.4}


def by_sql(sql, rule, used, mode, region, at_us):
    meters = [{"meter": m, "parent": row[3], "side": row[2]} for m, row in METERS.items()]
    sql.execute(SQL, {"model": rule.model, "used": json.dumps(used), "meters": json.dumps(meters), "mode": mode, "region": region, "at": at_us})
    return int(sql.fetchone()[0])


def estimate(bots, rule, used, mode, region, at_us):
    """None: more than a counter holds."""
    request = bots.limiter_pb.EstimateCostRequest(
        model="rules/" + rule.model, mode=mode + ("@" + region if region else ""), at_us=at_us,
        usage=bots.types.TokenUsage(**{METERS[m][0]: n for m, n in used.items()}))
    try:
        return bots.limiter.EstimateCost(request, timeout=20).cost.cost_nano_usd
    except grpc.RpcError as error:
        assert "costs more than" in error.details()
        return None


def test_random_rules_and_usage_cost_the_same_by_c_by_fractions_and_by_sql(bots, stack):
    draw = random.Random(20261129)
    rules = [Rule(draw, unique("rule")) for _ in range(80)]
    bots.admin.ImportPrices(bots.admin_pb.ImportPricesRequest(prices=[rule.message(bots) for rule in rules], yes=True), timeout=60)
    seen = 0
    with stack.sql() as sql:
        for rule in rules:
            for _ in range(12):
                used, at_us = usage(draw), draw.randint(1_790_000_000, 1_800_000_000) * 10**6
                mode, region = draw.choice(["", *rule.modes]), draw.choice(["", "global", *rule.regions])
                if "calls" in rule.base:
                    used.setdefault("calls", 1)  # each estimate is one call
                expected = rule.cost(used, mode, region, at_us)
                told = estimate(bots, rule, used, mode, region, at_us)
                assert by_sql(sql, rule, used, mode, region, at_us) == expected, (rule.message(bots), used, mode, region, at_us)
                assert told == (expected if expected <= MOST else None), (rule.message(bots), used, mode, region, at_us)
                seen += bool(told)
    assert seen > 500


@pytest.fixture
def fleet(bots):
    """A tenant of its own, with a model whose searches and images cost something."""
    fleet = Bots(bots.stubs, bots.address, unique("fleet"))
    fleet.admin.PutPrice(fleet.admin_pb.PutPriceRequest(price=fleet.admin_pb.Price(
        provider="maker", model="all-1", tenant=fleet.tenant, input="2", output="8",
        rates="cache_write_1h=6 web_searches=10 output_images=0.04"), yes=True), timeout=20)
    return fleet


def ledger(stack, user):
    with stack.sql() as sql:
        sql.execute("SELECT meters, flags & 63, cost_nano FROM ledger WHERE user_id = %s AND entry = 0 ORDER BY at", (user,))
        return sql.fetchall()


def test_a_record_keeps_what_has_no_column_in_the_ledger_in_roll_ups_and_in_bills(fleet, stack, bursar):
    fleet.account("red", kind="TEAM")
    user, other = unique("user"), unique("user")
    fleet.account(user, team="red")
    fleet.record(fleet.check(user, model="all-1"), input_tokens=1000, web_searches=3, cache_write_1h_tokens=2000)
    fleet.record(fleet.check(user, model="all-1"), output_tokens=10, output_images=2, web_searches=1)
    fleet.record(fleet.check(other, model="all-1"), output_tokens=10)
    fleet.drained()
    # 2,000,000 + 30,000,000 + 12,000,000; 80,000 + 80,000,000 + 10,000,000
    assert ledger(stack, user) == [({"web_searches": 3, "cache_write_1h": 2000}, 0, 44_000_000),
                                   ({"output_images": 2, "web_searches": 1}, 0, 90_080_000)]
    assert ledger(stack, other) == [(None, 0, 80_000)]
    for ref, by in ((fleet.key(user), ["DAY", "MODEL"]), (fleet.key("red", "TEAM"), ["MODEL"]), (fleet.key(fleet.tenant, "TENANT"), []),
                    (fleet.key(fleet.tenant, "TENANT"), ["USER", "MODEL", "INTERFACE"])):
        answer = list(fleet.admin.GetReport(fleet.admin_pb.GetReportRequest(
            ref=ref, by=[fleet.admin_pb.ReportKey.Value("REPORT_KEY_" + key) for key in by]), timeout=20))
        lines = [line for part in answer for line in part.lines]
        total = answer[-1].total.usage
        assert (total.web_searches, total.cache_write_1h_tokens, total.output_images) == (4, 2000, 2)
        assert sum(line.usage.web_searches for line in lines) == (4 if by else 0)
    done = bursar("report", "month", "--tenant", fleet.tenant, "--by", "user", "--csv")
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert rows[user]["other_meters"] == "cache_write_1h=2000 output_images=2 web_searches=4" and rows[other]["other_meters"] == ""
    shown = bursar("report", "month", "--tenant", fleet.tenant)
    assert "also used: cache_write_1h=2000 output_images=2 web_searches=4" in shown.stdout


def test_tokens_of_rare_meters_count_towards_limits_on_tokens_and_the_context(bots, fleet):
    user = fleet.user_with(fleet.calendar("in", "input_tokens", 1000), fleet.calendar("out", "output_tokens", 1000))
    fleet.record(fleet.check(user, model="all-1", input_tokens=1, max_output_tokens=1),
                 cache_write_1h_tokens=100, image_input_tokens=10, video_input_tokens=1, image_output_tokens=7, web_searches=50)
    assert (fleet.used(user, "in"), fleet.used(user, "out")) == (111, 7)


def test_a_meter_without_a_price_is_flagged_and_counted(fleet, stack):
    user = unique("user")
    done = fleet.record(fleet.check(user, model="all-1"), input_tokens=1000, pages=4)
    assert done.cost.unpriced and done.cost.cost_nano_usd == 2_000_000
    fleet.drained()
    assert ledger(stack, user) == [({"pages": 4}, 1, 2_000_000)]


def test_a_call_counts_itself_where_calls_cost_something(fleet, stack):
    fleet.admin.PutPrice(fleet.admin_pb.PutPriceRequest(price=fleet.admin_pb.Price(
        provider="maker", model="call-1", tenant=fleet.tenant, input="1", output="1", rates="calls=5"), yes=True), timeout=20)
    user = unique("user")
    answer = fleet.check(user, model="call-1", input_tokens=1000, max_output_tokens=1000)
    assert answer.held_cost_nano_usd == 2_000_000 + 5_000_000
    first = fleet.record(answer, input_tokens=1000)
    assert first.cost.cost_nano_usd == 6_000_000
    again = fleet.record(answer, input_tokens=1000)
    assert again.repeat and not again.differs
    fleet.drained()
    assert ledger(stack, user) == [({"calls": 1}, 0, 6_000_000)]


def test_a_repeat_with_other_meters_says_so_and_an_adjustment_corrects_them(fleet, stack, bursar):
    user = unique("user")
    answer = fleet.check(user, model="all-1")
    fleet.record(answer, input_tokens=1000, web_searches=3)
    again = fleet.record(answer, input_tokens=1000, web_searches=5)
    assert again.repeat and list(again.differs) == ["usage.web_searches"] and again.recorded.usage.web_searches == 3
    fleet.drained()
    shown = bursar("record", answer.reservation, "--input-tokens", 1000, "--meter", "web_searches=5")
    assert shown.returncode == 1 and "--meter web_searches=+2" in shown.stdout
    done = bursar("ledger", "adjust", answer.reservation, "--meter", "web_searches=+2", "--reason", "miscounted")
    assert done.returncode == 0 and "0.02" in done.stdout, done.stderr
    fleet.drained()
    answer = fleet.admin.GetMonthlyReport(fleet.admin_pb.GetMonthlyReportRequest(ref=fleet.key(user)), timeout=20)
    assert answer.total.usage.web_searches == 5 and answer.total.cost_nano_usd == 2_000_000 + 50_000_000


def test_an_erased_user_takes_the_meters_along(fleet, stack):
    user = unique("user")
    fleet.record(fleet.check(user, model="all-1"), web_searches=3)
    fleet.drained()
    fleet.admin.DeleteAccount(fleet.admin_pb.DeleteAccountRequest(ref=fleet.key(user)), timeout=20)
    fleet.admin.EraseAccount(fleet.admin_pb.EraseAccountRequest(ref=fleet.key(user)), timeout=20)
    with stack.sql() as sql:
        sql.execute("SELECT kind, id LIKE 'erased%%', meter, count FROM usage_meters WHERE tenant = %s ORDER BY kind", (fleet.tenant,))
        assert sql.fetchall() == [(1, True, "web_searches", 3), (5, False, "web_searches", 3), (6, False, "web_searches", 3)]


def test_a_check_holds_the_cached_part_of_its_input_at_the_cached_rate(fleet):
    fleet.admin.PutPrice(fleet.admin_pb.PutPriceRequest(price=fleet.admin_pb.Price(
        provider="maker", model="cached-1", tenant=fleet.tenant, input="2", cached_input="0.5", output="8"), yes=True), timeout=20)
    user = unique("user")
    held = fleet.check(user, model="cached-1", input_tokens=1000, cached_input_tokens=800, max_output_tokens=10)
    assert (held.held_tokens, held.held_cost_nano_usd) == (1010, 400_000 + 400_000 + 80_000)
    error = fails_with(Code.INVALID_ARGUMENT, fleet.check, user, model="cached-1", input_tokens=1000, cached_input_tokens=1001)
    assert error.details() == "cached_input_tokens: is more than input_tokens, of which it is a part: 1001 of 1000"


def test_limits_of_counts_are_named(fleet):
    answer = fleet.check(unique("user"), model="all-1")
    for field, most in (("web_searches", 100_000_000_000), ("image_input_tokens", MOST)):
        error = fails_with(Code.INVALID_ARGUMENT, fleet.record, answer, **{field: most + 1})
        assert error.details() == f"usage.{field}: {most + 1} is not between 0 and {most}"
        error = fails_with(Code.INVALID_ARGUMENT, fleet.record, answer, **{field: -1})
        assert error.details() == f"usage.{field}: -1 is not between 0 and {most}"


def test_the_command_line_puts_and_shows_every_part_of_a_price(bursar):
    model = unique("model")
    done = bursar("price", "put", "maker", model, "--input", "2", "--output", "8", "--above", ">=200000:input=4,reasoning=20",
                  "--rate", "web_searches=10", "--rate", "cache_write_1h=6", "--mode", "batch=1/2", "--mode-rate", "batch:cached_input=0.3",
                  "--region", "us=11/10", "--hours", "16:30-00:30=1/2")
    assert done.returncode == 0, done.stderr
    for text in ("199,999 tokens of input: 4 in", "reasoning=20", "cache_write_1h=6 web_searches=10", "batch:cached_input=0.3", "us=11/10",
                 "16:30-00:30=1/2"):
        assert text in done.stdout, done.stdout
    done = bursar("price", "put", "maker", model, "--rate", "web_searches=none", "--hours", "none", "--mode", "flex=1/3")
    shown = json.loads(bursar("price", "show", "maker/" + model, "--json").stdout)
    assert (shown["rates"], shown.get("hours", ""), shown["regions"]) == ("cache_write_1h=6", "", "us=11/10"), done.stdout
    assert shown["mode_rates"] == "batch:cached_input=0.3" and [m["mode"] for m in shown["modes"]] == ["batch", "flex"]
    estimate = bursar("cost", "maker/" + model, "--meter", "cache_write_1h=1000", "--input-tokens", 1000)
    assert "0.008" in estimate.stdout and "cache_write_1h" in estimate.stdout
    wrong = bursar("cost", "maker/" + model, "--meter", "web_serches=1")
    assert wrong.returncode == 2 and "web_searches" in wrong.stderr
