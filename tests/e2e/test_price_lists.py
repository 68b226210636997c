"""Public price lists: imported as they are, compared, and what a price cannot say is counted."""
import json
import zlib

import grpc
import pytest

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
