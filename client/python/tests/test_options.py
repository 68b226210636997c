"""Options, errors, keys, TLS, spans."""
import asyncio
import importlib
import json

import grpc
import pytest
from accounts import bucket, user_with
from conftest import ROOT, addresses
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import fail, scripted

import bursar as package
from bursar import Bursar, BursarError, Tls
from bursar._core.trace import metadata
from bursar.v1 import admin_pb2


ADDRESSES = json.loads((ROOT / "client" / "addresses.json").read_text(encoding="utf-8"))


def test_what_the_table_accepts_is_connected_to_as_it_says(monkeypatch):
    assert len(ADDRESSES["accepted"]) > 10
    for row in ADDRESSES["accepted"]:
        given, servers = row["given"], tuple(row["servers"])
        monkeypatch.setenv("BURSAR_ADDR", given)
        assert Bursar(given).options.addresses == Bursar(given.split(",")).options.addresses == Bursar().options.addresses == servers


def test_what_the_table_refuses_is_refused():
    assert len(ADDRESSES["refused"]) > 20
    for given in ADDRESSES["refused"]:
        with pytest.raises(BursarError) as failure:
            Bursar(given)
        assert (failure.value.code, failure.value.field) == ("INVALID_ARGUMENT", "address"), given


def test_a_variable_that_is_empty_is_as_good_as_none_and_the_same_address_twice_is_one(monkeypatch):
    monkeypatch.setenv("BURSAR_ADDR", "")
    monkeypatch.setenv("BURSAR_KEY", "bsk_x")
    assert Bursar().options.addresses == ("127.0.0.1:7420",) and Bursar().options.key == "bsk_x"
    assert Bursar(["a", "b", "a:7420"]).options.addresses == ("a:7420", "b:7420")


@pytest.mark.parametrize("words, text", [
    ({"address": "http://a:7420"}, "address: 'http://a:7420' is not an address: write it without http://"),
    ({"address": ""}, "address: '' is not an address; it looks like"), ({"address": []}, "address: the list is empty"), ({"key": "bsk x"}, "key: is not an API key"), ({"fail": "opne"}, "fail: must be"),
    ({"gather": {"items": 1001}}, "gather: items must be"), ({"tls": {"cert": "a"}}, "tls: cert and key"), ({"timeout_ms": 0}, "timeout_ms: ")])
def test_a_wrong_option_is_told_by_its_name(words, text):
    with pytest.raises(BursarError) as failure:
        Bursar(**words)
    assert str(failure.value).startswith(text) and failure.value.code == "INVALID_ARGUMENT" and failure.value.field == text.partition(":")[0]


async def test_a_word_that_a_check_does_not_have_is_told():
    with pytest.raises(BursarError, match="colour"):
        await Bursar("127.0.0.1:1").check(user="ann", colour="red")


async def test_defaults_of_the_client_are_those_of_its_checks():
    async with scripted() as server, Bursar(server.address, interface="telegram", language="de", tenant="acme", key="bsk_1") as bursar:
        await bursar.check(user="ann")
        await bursar.check(user="ann", language="fr", interface="web", tenant="other")
        first, second = server.of("Check")
        assert (first.interface, first.language, first.tenant) == ("telegram", "de", "acme")
        assert (second.interface, second.language, second.tenant) == ("web", "fr", "other")
        assert server.metadata[0]["authorization"] == "Bearer bsk_1"


async def test_an_error_has_what_the_server_said_in_its_details():
    async def refuse(_, context):
        await fail(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "come later", retry_ms=1500, reason="WAIT_MAX")

    async with scripted() as server, Bursar(server.address) as bursar:
        server.script["Check"] = refuse
        with pytest.raises(BursarError) as failure:
            await bursar.check(user="ann")
    error = failure.value
    assert (str(error), error.code, error.reason, error.retry_after_ms, error.from_server) == (
        "come later", "RESOURCE_EXHAUSTED", "WAIT_MAX", 1500, True)


async def test_a_key_is_needed_once_there_is_one_and_is_sent(own):
    async with Bursar(addresses(own)) as bursar:
        key = await bursar.admin.create_key(role=admin_pb2.ROLE_OPERATOR, label="tests")
    async with Bursar(addresses(own)) as bursar:
        with pytest.raises(BursarError) as failure:
            await bursar.check(user="ann")
        assert failure.value.code == "UNAUTHENTICATED"
    async with Bursar(addresses(own), key=key.secret) as bursar:
        assert (await bursar.check(user="ann")).allowed


async def test_a_server_with_tls_is_known_by_its_authority(start_own, tmp_path):
    import sys
    sys.path.append(str(ROOT / "tests" / "e2e"))
    authority = importlib.import_module("certificates").Authority(tmp_path, "ca")
    cert, key = authority.issue("server")
    own = start_own(tls_cert=cert, tls_key=key)
    async with Bursar(addresses(own), tls=Tls(ca=str(authority.cert))) as bursar:
        assert (await bursar.check(user="ann")).allowed
    with pytest.raises(BursarError, match="tls.ca: cannot be read"):
        await Bursar(addresses(own), tls={"ca": "/no/such/file"}).check(user="ann")


@pytest.fixture(scope="module")
def provider():
    """The process has one, for good."""
    made = TracerProvider()
    trace.set_tracer_provider(made)
    return made


@pytest.fixture
def spans(provider):
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


async def test_a_batch_goes_in_the_span_of_its_first_caller(spans, provider):
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request, context):
        arrived.set()
        await go_on.wait()
        return await server.check(request, context)

    async with scripted() as server, Bursar(server.address, gather={"delay_ms": 60_000}) as bursar:
        server.script["Check"] = slow
        earlier = asyncio.create_task(bursar.check(user="earlier"))
        await arrived.wait()
        with provider.get_tracer("test").start_as_current_span("app") as app:
            later = [asyncio.create_task(bursar.check(user=user)) for user in ("one", "two")]
            await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(earlier, *later)
        assert f"{app.context.trace_id:032x}" in server.metadata[1]["traceparent"]


async def test_spans_say_what_was_decided_and_name_no_user(bursar, spans):
    exporter = spans
    user = await user_with(bursar, bucket(1))
    async with bursar.run(user=user):
        pass
    await bursar.check(user=user)
    async with scripted() as server, Bursar(server.address) as other:
        await other.check(user=user)
        sent = server.metadata[0]["traceparent"]
    ended = exporter.get_finished_spans()
    assert [span.name for span in ended] == ["bursar.check", "bursar.record", "bursar.check", "bursar.check"]
    assert ended[0].attributes["bursar.allowed"] is True and ended[2].attributes["bursar.reason"] == "request_rate"
    assert f"{ended[3].context.trace_id:032x}-{ended[3].context.span_id:016x}" in sent
    assert not any(user in str(value) for span in ended for value in span.attributes.values())


def test_without_a_span_nothing_is_sent_along():
    assert metadata((("a", "b"),)) == (("a", "b"),)


def test_what_the_package_exports_exists():
    assert all(hasattr(package, name) for name in package.__all__)
