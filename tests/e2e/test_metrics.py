"""What /metrics shows: read as Prometheus reads it, and counted by what was decided."""
import contextlib
import json
import re
import subprocess
import urllib.request

import grpc
import pytest
from harness import until
from harness.paths import ROOT
from harness.ports import free_port
from prometheus_client.parser import text_string_to_metric_families

from bots import unique
from web import Door


def families(server):
    """{name: family} of a scrape, in which each name, each label set and each HELP comes once, and histograms add up."""
    text = server.http("/metrics")[1]
    found = list(text_string_to_metric_families(text))
    names = [family.name for family in found]
    assert len(names) == len(set(names)), "a family in two pieces"
    for family in found:
        assert family.documentation.endswith((".", "0", "1")) and family.type != "unknown", family
        rows = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(rows) == len(set(rows)), family.name
        if family.type == "histogram":
            adds_up(family)
    return {family.name: family for family in found}


def adds_up(family):
    last = {}
    for sample in family.samples:
        key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        if sample.name.endswith("_bucket"):
            assert sample.value >= last.get(key, 0), sample
            last[key] = sample.value
            assert sample.labels["le"] != "+Inf" or sample.value == last[key]
        elif sample.name.endswith("_count"):
            assert sample.value == last[key], sample


def figure(server, name, **labels):
    return server.metric(name, **labels)


def test_the_content_type_is_one_that_prometheus_3_takes(bursard):
    with urllib.request.urlopen(f"http://{bursard.http_addr}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_decisions_are_counted_by_result_reason_tier_interface_and_quality(bursard, bots):
    def shows():
        return [figure(bursard, "checks_total", decision="allowed"),
                figure(bursard, "checks_by_tier_total", tier="free", reason="none"),
                figure(bursard, "checks_by_tier_total", tier="free", reason="request_rate"),
                figure(bursard, "checks_by_interface_total", interface="telegram", reason="none"),
                figure(bursard, "checks_by_interface_total", interface="telegram", reason="request_rate"),
                figure(bursard, "checks_by_interface_total", interface="other"),
                figure(bursard, "checks_by_quality_total", quality="exact", decision="allowed")]

    before, user = shows(), unique("counted")
    assert [bots.check(user, interface="telegram").allowed for _ in range(4)] == [True] * 3 + [False]
    bots.check(unique("counted"), interface=unique("made-up-by-a-caller"))
    assert [after - was for after, was in zip(shows(), before)] == [4, 4, 1, 3, 1, 1, 4]
    assert "made-up" not in bursard.http("/metrics")[1]


def test_latency_is_in_histograms_by_rpc_and_by_store(bursard, bots):
    bots.check(unique("timed"))
    found = families(bursard)
    rpcs = {sample.labels["method"] for sample in found["bursar_grpc_call_seconds"].samples}
    assert "/bursar.v1.Limiter/Check" in rpcs
    for store in ("redis", "pg"):
        count = [sample.value for sample in found[f"bursar_{store}_call_seconds"].samples if sample.name.endswith("_count")]
        assert count[0] > 0


def test_calls_are_counted_by_what_carries_them(bursard, bots):
    """Each call once, under the name of its carrier."""
    def counted(carrier):
        return [bursard.metric(f"{carrier}_calls_total", method=f"/bursar.v1.{method}", code=code) for method, code in
                (("Limiter/Check", "OK"), ("Admin/GetTier", "NOT_FOUND"))] + [bursard.metric(f"{carrier}_call_seconds_count", method="/bursar.v1.Limiter/Check")]

    bots.check("ann")
    assert (counted("grpc"), counted("http")) == ([1, 0, 1], [0, 0, 0])
    door = Door(bursard.http_addr)
    assert door("POST", "/v1/check", {"user": "ann"}).status == 200 and door("GET", "/v1/tiers/none").status == 404
    assert (counted("grpc"), counted("http")) == ([1, 0, 1], [1, 1, 1])
    assert bursard.metric("grpc_calls_open") == bursard.metric("http_calls_open") == 0


def test_reservations_and_the_lag_of_the_ledger_are_shown(bursard, bots):
    written, answer = figure(bursard, "ledger_lag_seconds_count"), bots.check(unique("held"))
    until(lambda: figure(bursard, "reservations_open") >= 1, "an open reservation", 30)
    bots.record(answer, input_tokens=1)
    until(lambda: figure(bursard, "ledger_lag_seconds_count") > written, "a row in the ledger", 30)


def test_loops_and_the_process_say_what_they_take(bursard):
    until(lambda: all(figure(bursard, "loop_late_seconds_count", loop=loop) > 0 for loop in ("ledger", "0", "1")), "all loops", 30)
    found = families(bursard)
    assert sum(sample.value for sample in found["bursar_loop_busy_seconds"].samples) > 0
    (build,) = found["bursar_build_info"].samples
    assert build.value == 1 and build.labels["version"].count(".") == 2
    for name in ("process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_cpu_seconds"):
        assert found[name].samples[0].value > 0, name


@pytest.fixture
def scrape(bursard, bots):
    """What /metrics shows when there is something to show of every kind."""
    bots.record(bots.check(unique("shown")), input_tokens=1)
    with pytest.raises(grpc.RpcError):
        bots.admin.GetTier(bots.admin_pb.GetTierRequest(name="there-is-no-such-tier"), timeout=10)
    slot = bots.limiter.Acquire(bots.limiter_pb.AcquireRequest(check=bots.request(unique("shown"))), timeout=60)
    next(slot)
    until(lambda: "bursar_pool_slots{" in bursard.http("/metrics")[1], "figures of the pool", 30)
    yield bursard.http("/metrics")[1]
    slot.cancel()


def test_the_documentation_has_every_metric_as_it_describes_itself(scrape):
    page = (ROOT / "docs" / "metrics.md").read_text().split("## All metrics")[1]
    described = dict(re.findall(r"^# HELP (\S+) (.*)$", scrape, re.M))
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", scrape, re.M))
    rows = {name: (kind, text) for name, kind, text in re.findall(r"^\| `(\w+)` \| (\w+) \|[^|]*\| (.*) \|$", page, re.M)}
    assert rows == {name: (types[name], text) for name, text in described.items()}


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory):
    """prometheus(name): a program of Debian's package, unpacked and not installed: it would start a server, and wants twelve other
    packages for its pages."""
    folder = tmp_path_factory.mktemp("prometheus")
    subprocess.run(["apt-get", "download", "-q", "prometheus"], cwd=folder, check=True, timeout=300)
    subprocess.run(["dpkg", "-x", next(folder.glob("prometheus_*.deb")), folder], check=True, timeout=60)
    return lambda name: folder / "usr" / "bin" / name


@pytest.mark.long
def test_promtool_finds_nothing_wrong(scrape, prometheus):
    found = subprocess.run([prometheus("promtool"), "check", "metrics"], input=scrape, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.long
def test_prometheus_scrapes(bursard, bots, prometheus, tmp_path):
    address, config = f"127.0.0.1:{free_port()}", tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"},
                                  "scrape_configs": [{"job_name": "bursard", "static_configs": [{"targets": [bursard.http_addr]}]}]}))
    bots.check(unique("scraped"))

    def checks():
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/api/v1/query?query=bursar_checks_total", timeout=10) as answer:
            return [float(row["value"][1]) for row in json.load(answer)["data"]["result"]]

    with subprocess.Popen([prometheus("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/data",
                           f"--web.listen-address={address}"], stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: checks() == [1], "a scrape", 60)
        finally:
            server.terminate()
