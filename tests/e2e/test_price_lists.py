"""Public price lists: imported as they are, compared, and what a price cannot say is counted."""
import csv
import datetime
import functools
import io
import json
import zlib

import grpc
import pytest
from harness import run_bursar

from bots import fails_with, unique

Code = grpc.StatusCode


@pytest.fixture
def put_file(tmp_path):
    def write(content, name="list.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path
    return write


def litellm(provider, **models):
    return {"sample_spec": {"litellm_provider": "one of"}, **{name: {"litellm_provider": provider, **fields} for name, fields in models.items()}}


def price(bots, model):
    return bots.admin.GetPrice(bots.admin_pb.GetPriceRequest(model=model), timeout=20)


def prices(stack):
    with stack.sql() as sql:
        sql.execute("SELECT p::text FROM model_prices p ORDER BY id")
        return sql.fetchall()


def test_litellms_list_is_imported_as_it_is(bots, bursar, put_file):
    provider = unique("lab")
    path = put_file(litellm(provider, one={
        "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05, "cache_read_input_token_cost": 3.625e-09,
        "input_cost_per_token_above_200k_tokens": 2.5e-06, "input_cost_per_token_batches": 6.25e-07, "output_cost_per_token_batches": 5e-06,
        "output_cost_per_pixel": 1e-08, "source": "https://lab.example/prices"}, two={"alias_of": "one", "input_cost_per_pixel": 1}))
    done = bursar("price", "import", path, "--yes")
    assert done.returncode == 0 and "imported: 1 new, 0 changed" in done.stdout, done.stderr
    assert "not imported, because a price cannot say it: 3" in done.stdout and "there is no meter of pixels" in done.stdout
    row = price(bots, provider + "/one")
    assert (row.input, row.output, row.cached_input) == ("1.25", "10", "0.003625")
    assert [(tier.above_tokens, tier.input) for tier in row.context_tiers] == [(200000, "2.5")]
    assert [(mode.mode, mode.numerator, mode.denominator) for mode in row.modes] == [("batch", 1, 2)]
    assert row.source.startswith("litellm: https://lab.example/prices (20")
    again = bursar("price", "import", path, "--yes")
    assert "0 new, 0 changed, 1 unchanged" in again.stdout


def test_genai_prices_list_is_imported_as_it_is(bots, bursar, put_file):
    provider = unique("lab")
    model = {"id": "one", "match": {"or": [{"equals": "uno"}, {"starts_with": "one-"}]}, "prices": {"input_mtok": 2, "output_mtok": 6}}
    done = bursar("price", "import", put_file([{"id": provider, "models": [model]}]), "--yes")
    assert done.returncode == 0 and "imported: 2 new" in done.stdout, done.stderr
    assert price(bots, provider + "/uno").input == price(bots, provider + "/one").input == "2"
    python = ("import datetime\n\nproviders: list[Provider] = [\n    Provider(id='%s', models=[ModelInfo(id='one', "
              "prices=ModelPrice(input_mtok=Decimal('2.5'), output_mtok=Decimal('6')))])\n]\n" % provider)
    done = bursar("price", "import", put_file(python, "data.py"), "--yes")
    assert done.returncode == 0 and "imported: 0 new, 1 changed" in done.stdout, done.stderr
    assert price(bots, provider + "/one").input == "2.5"


def test_check_only_compares(bursar, stack, put_file):
    provider = unique("lab")
    path = put_file(litellm(provider, one={"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06}))
    before = prices(stack)
    found = bursar("price", "check", path)
    assert found.returncode == 1 and "1 new, 0 changed" in found.stdout, found.stderr
    assert prices(stack) == before
    assert bursar("price", "import", path, "--yes").returncode == 0
    same = bursar("price", "check", path)
    assert same.returncode == 0 and "0 new, 0 changed, 1 unchanged" in same.stdout, same.stderr
    path.write_text(json.dumps(litellm(provider, one={"input_cost_per_token": 5e-05, "output_cost_per_token": 1e-06})))
    moved = bursar("price", "check", path, "--json")
    assert moved.returncode == 1 and json.loads(moved.stdout)["changes"][0]["big_move"]
    assert bursar("price", "import", path).returncode == 4
    path.write_text("{")
    assert bursar("price", "check", path).returncode == 4


def test_a_list_larger_than_a_request_is_sent_compressed(bots, bursar, put_file):
    models = {f"m{i}": {"input_cost_per_token": 1e-06, "comment": "x" * 4000} for i in range(300)}
    path = put_file(litellm(unique("lab"), **models))
    assert path.stat().st_size > 1 << 20
    done = bursar("price", "check", path)
    assert done.returncode == 1 and "300 new" in done.stdout, done.stderr
    for request, why in ((dict(json_zlib=b"nonsense"), "is not a whole text in the format of zlib"),
                         (dict(json_zlib=zlib.compress(b"{}")[:-1]), "is not a whole text"),
                         (dict(json_zlib=zlib.compress(b" " * (9 << 20))), "has more than 8388608 bytes"),
                         (dict(json="{}", csv="x"), "only one of them"),
                         (dict(json="{}", merge=True), "only for `prices`"),
                         (dict(json="{}"), "is neither litellm's")):
        error = fails_with(Code.INVALID_ARGUMENT, bots.admin.ImportPrices, bots.admin_pb.ImportPricesRequest(**request), timeout=20)
        assert why in error.details(), error.details()


def test_a_broken_list_changes_nothing_and_says_where(bursar, stack, put_file):
    before = prices(stack)
    refused = bursar("price", "import", put_file('{"a":\n {"litellm_provider": "x",}}'), "--yes")
    assert refused.returncode == 4 and "list.json: line 2: expected the name of a member" in refused.stderr, refused.stderr
    assert prices(stack) == before


# What lists say must be what is charged: everything that follows is worked by hand from the lists' own figures.

def used(bots, moved_to, model, mode="", **usage):
    """What a record costs, in nano-USD, of which nothing was flagged."""
    moved_to()
    cost = bots.record(bots.check(unique("user"), model=model, mode=mode, input_tokens=1), mode=mode, **usage).cost
    assert not (cost.unpriced or cost.standard_rate), cost
    return cost.cost_nano_usd


@pytest.fixture
def charged(start_moved, clock):
    """charged(model, at, mode, meter=count): what a record costs at that time of 2027-03-10, a Wednesday."""
    bots = start_moved()

    def at_time(model, at="12:00", day=10, **fields):
        hour, minute = map(int, at.split(":"))
        return used(bots, lambda: clock.set(datetime.datetime(2027, 3, day, hour, minute, tzinfo=datetime.timezone.utc)), model, **fields)
    at_time.bots = bots
    return at_time


def take(bursar_at, path):
    done = bursar_at("price", "import", path, "--yes")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def bursar_at(charged):
    return functools.partial(run_bursar, charged.bots.address)


LITELLM = {
    "chat": {  # tiers, an hour's cache, a mode with a ratio and a rate of its own, a region, two kinds of searches
        "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "cache_read_input_token_cost": 3e-07,
        "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
        "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
        "input_cost_per_token_batches": 1.5e-06, "output_cost_per_token_batches": 7.5e-06,
        "input_cost_per_token_above_200k_tokens_batches": 3e-06, "output_cost_per_token_above_200k_tokens_batches": 1.125e-05,
        "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.01},
        "file_search_cost_per_1k_calls": 2.5, "provider_specific_entry": {"us": 1.1}},
    "peak": {  # half at night and on weekends, by the clock of Shanghai
        "input_cost_per_token": 2.8e-07, "output_cost_per_token": 4.2e-07, "off_peak_pricing": {
            "input_cost_per_token": 1.4e-07, "output_cost_per_token": 2.1e-07, "weekday_timezone": "Asia/Shanghai",
            "windows": [{"hours_utc": ["10:00-00:00"], "weekdays": [1, 2, 3, 4, 5]}, {"hours_utc": "00:00-00:00", "weekdays": [6, 7]}]}},
    "ranges": {"tiered_pricing": [{"range": [0, 32000], "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06},
                                  {"range": [32000, 128000], "input_cost_per_token": 1.8e-06, "output_cost_per_token": 9e-06}]},
    "ears": {"mode": "audio_transcription", "input_cost_per_second": 0.0001, "output_cost_per_second": 0.0},
    "painter": {"mode": "image_generation", "input_cost_per_image": 0.04},
    "pages": {"mode": "ocr", "ocr_cost_per_page": 0.004},
}

LITELLM_CASES = [
    # 1,000 x 3,000 + 2,000 x 300 + 100 x 3,750 + 50 x 6,000 + 10 x 15,000 nano-USD
    ("chat", {}, dict(input_tokens=1000, cached_input_tokens=2000, cache_write_tokens=100, cache_write_1h_tokens=50, output_tokens=10), 4_425_000),
    ("chat", {}, dict(input_tokens=200_000, output_tokens=1), 600_015_000),
    ("chat", {}, dict(input_tokens=200_001, output_tokens=1), 1_200_006_000 + 22_500),
    ("chat", dict(mode="batch"), dict(input_tokens=1000, output_tokens=10), 1_500_000 + 75_000),
    ("chat", dict(mode="batch"), dict(input_tokens=200_001), 600_003_000),
    # The list says nothing of cached tokens in a batch, so they cost what they always cost.
    ("chat", dict(mode="batch"), dict(cached_input_tokens=1000), 300_000),
    ("chat", dict(mode="@us"), dict(input_tokens=1000, output_tokens=10), 3_465_000),  # (3,000,000 + 150,000) x 11/10
    ("chat", dict(mode="batch@us"), dict(input_tokens=1000), 1_650_000),
    # Fees do not follow mode and region: 3 x 10,000,000 + 2 x 2,500,000
    ("chat", dict(mode="batch@us"), dict(input_tokens=1000, web_searches=3, file_searches=2), 1_650_000 + 35_000_000),
    ("peak", dict(at="09:59"), dict(input_tokens=1000, output_tokens=1000), 700_000),
    ("peak", dict(at="10:00"), dict(input_tokens=1000, output_tokens=1000), 350_000),
    ("peak", dict(at="23:59"), dict(input_tokens=1000, output_tokens=1000), 350_000),
    ("peak", dict(at="00:00", day=11), dict(input_tokens=1000, output_tokens=1000), 700_000),
    ("peak", dict(at="09:00", day=13), dict(input_tokens=1000, output_tokens=1000), 350_000),  # a Saturday
    ("ranges", {}, dict(input_tokens=32_000, output_tokens=10), 32_000_000 + 40_000),
    ("ranges", {}, dict(input_tokens=32_001, output_tokens=10), 57_601_800 + 90_000),
    ("ears", {}, dict(audio_seconds=61), 6_100_000),
    ("painter", {}, dict(output_images=3), 120_000_000),
    ("pages", {}, dict(pages=7), 28_000_000),
]


def agree(charged, provider, cases):
    wrong = [(model, when, usage, worked, found) for model, when, usage, worked in cases
             if (found := charged(f"{provider}/{model}", **when, **usage)) != worked]
    assert not wrong, wrong


def test_what_litellms_list_says_is_what_is_charged(charged, bursar_at, put_file):
    provider = unique("lab")
    take(bursar_at, put_file(litellm(provider, **LITELLM)))
    agree(charged, provider, LITELLM_CASES)


def test_the_same_list_as_a_csv_costs_the_same(charged, bursar_at, put_file):
    provider, fields = unique("lab"), sorted({field for one in LITELLM.values() for field in one})
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["model", "litellm_provider", *fields])
    for name, one in LITELLM.items():
        rows.writerow([name, provider, *(json.dumps(one[f]) if isinstance(one.get(f), (dict, list)) else one.get(f, "") for f in fields)])
    path = put_file(table.getvalue(), "models.csv")
    out = take(bursar_at, path)
    assert f"imported: {len(LITELLM)} new" in out, out
    agree(charged, provider, LITELLM_CASES)
    assert bursar_at("price", "check", put_file(litellm(provider, **LITELLM))).returncode == 0
    answer = charged.bots.admin.ImportPrices(charged.bots.admin_pb.ImportPricesRequest(csv=path.read_text(), dry_run=True), timeout=20)
    assert answer.same_count == len(LITELLM) and not answer.changes, "in the field `csv` as well"


GENAI = [
    {"id": "chat", "match": {"or": [{"equals": "chat"}, {"equals": "chat-001"}]}, "prices": {
        "input_mtok": {"base": 1.25, "tiers": [{"start": 200000, "price": 2.5}]}, "cache_read_mtok": 0.31,
        "output_mtok": {"base": 10, "tiers": [{"start": 200000, "price": 15}]}, "input_audio_mtok": 1, "web_searches_kcount": 35, "requests_kcount": 2},
     "price_variants": [{"when": {"processing": "batch"}, "prices": {
         "input_mtok": {"base": 0.625, "tiers": [{"start": 200000, "price": 1.25}]}, "cache_read_mtok": 0.31,
         "output_mtok": {"base": 5, "tiers": [{"start": 200000, "price": 7.5}]}, "input_audio_mtok": 0.5, "web_searches_kcount": 35, "requests_kcount": 2}}]},
    {"id": "peak", "match": {"equals": "peak"}, "prices": [
        {"prices": {"input_mtok": 0.27, "output_mtok": 1.1}},
        {"constraint": {"start_time": "16:30:00Z", "end_time": "00:30:00Z"}, "prices": {"input_mtok": 0.135, "output_mtok": 0.55}}]},
    {"id": "dated", "match": {"equals": "dated"}, "prices": [
        {"prices": {"input_mtok": 9}}, {"constraint": {"start_date": "2026-08-21"}, "prices": {"input_mtok": 4}},
        {"constraint": {"start_date": "2027-03-12"}, "prices": {"input_mtok": 5}}]},
    {"id": "ears", "match": {"equals": "ears"}, "prices": {"audio_hours": 0.36}},
]

GENAI_CASES = [
    # a call costs 2,000,000 beside 1,000 x 1,250 + 1,000 x 310 + 10 x 10,000 + 30 x 1,000
    ("chat", {}, dict(input_tokens=1000, cached_input_tokens=1000, output_tokens=10, audio_input_tokens=30), 3_690_000),
    ("chat-001", {}, dict(input_tokens=200_000, output_tokens=1), 252_010_000),
    ("chat", {}, dict(input_tokens=200_001, output_tokens=1), 502_017_500),
    ("chat", dict(mode="batch"), dict(input_tokens=1000, cached_input_tokens=1000, output_tokens=10, web_searches=2), 2_000_000 + 985_000 + 70_000_000),
    ("peak", dict(at="16:29"), dict(input_tokens=1000, output_tokens=1000), 1_370_000),
    ("peak", dict(at="16:30"), dict(input_tokens=1000, output_tokens=1000), 685_000),
    ("peak", dict(at="00:29", day=11), dict(input_tokens=1000, output_tokens=1000), 685_000),
    ("peak", dict(at="00:30", day=11), dict(input_tokens=1000, output_tokens=1000), 1_370_000),
    ("dated", dict(at="23:59", day=11), dict(input_tokens=1000), 4_000_000),
    ("dated", dict(at="00:00", day=12), dict(input_tokens=1000), 5_000_000),
    ("ears", {}, dict(audio_seconds=61), 6_100_000),
]


def test_what_genai_prices_list_says_is_what_is_charged(charged, bursar_at, put_file):
    provider = unique("lab")
    take(bursar_at, put_file([{"id": provider, "models": GENAI}]))
    agree(charged, provider, GENAI_CASES)
