"""A caller's traceparent in the log, and spans at a receiver of OTLP/HTTP."""
import base64
import contextlib
import http.server
import importlib
import json
import re
import secrets
import ssl
import subprocess
import sys
import threading
import urllib.request
import zipfile

import pytest
from harness import program, until

from bots import unique
from certificates import Authority
from web import Door

SERVER, CLIENT, ERROR = 2, 3, 2


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what it is sent. `status`: what it answers."""
    daemon_threads = True

    def __init__(self, tls=None):
        self.requests, self.status = [], 200
        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"

    def spans(self, trace=None):
        found = [span for _, _, body in list(self.requests) for resource in body["resourceSpans"] for scope in resource["scopeSpans"]
                 for span in scope["spans"]]
        return [span for span in found if trace in (None, span["traceId"])]

    def handle_error(self, request, client_address):
        """Connections that fail are the point of some tests."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.requests.append((self.path, self.headers, json.loads(body)))
        answer = b'{"partialSuccess":{}}'
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(tls=None):
    receiver = Receiver(tls)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()


@pytest.fixture
def receiver():
    with serving() as receiver:
        yield receiver


class Trace:
    def __init__(self, flags="01"):
        self.id, self.parent = secrets.token_hex(16), secrets.token_hex(8)
        self.header = (("traceparent", f"00-{self.id}-{self.parent}-{flags}"),)


def check(bots, user, trace=None, **fields):
    return bots.limiter.Check(bots.request(user, **fields), timeout=20, metadata=trace.header if trace else ())


def attributes(of):
    return {pair["key"]: next(iter(pair["value"].values())) for pair in of["attributes"]}


def server_span(receiver, trace):
    """The span of the call itself, which is the last one of its trace: all others have been exported then."""
    def found():
        return [span for span in receiver.spans(trace) if span["kind"] == SERVER]
    until(found, "the call's span", 30)
    (span,) = found()
    return span


def lines_about(server, user):
    return [line for line in server.log().splitlines() if f"user={user}" in line]


def test_a_sampled_call_becomes_a_span_with_its_questions_to_the_stores_inside(start_bursard, fleet_at, receiver):
    server = start_bursard(otlp_endpoint=receiver.url, otlp_headers="x-api-key=of a tenant,x-other=2", trace_sample_ppm=0)
    bots, trace = fleet_at(server.grpc_addr), Trace()
    check(bots, unique("traced"), trace)
    span = server_span(receiver, trace.id)
    assert (span["name"], span["parentSpanId"]) == ("bursar.v1.Limiter/Check", trace.parent)
    assert attributes(span) == {"rpc.system": "grpc", "rpc.service": "bursar.v1.Limiter", "rpc.method": "Check", "rpc.grpc.status_code": "0"}
    inside = [child for child in receiver.spans(trace.id) if child is not span]
    assert {attributes(child)["db.system.name"] for child in inside} == {"redis", "postgresql"}
    assert any(child["name"].startswith("FCALL bursar_check_") for child in inside), inside
    for child in inside:
        assert (child["kind"], child["parentSpanId"]) == (CLIENT, span["spanId"]) and "status" not in child
        assert int(span["startTimeUnixNano"]) - 1_000_000 <= int(child["startTimeUnixNano"]) <= int(child["endTimeUnixNano"])
    path, headers, body = receiver.requests[0]
    assert (path, headers["Content-Type"], headers["x-api-key"], headers["x-other"]) == ("/v1/traces", "application/json", "of a tenant", "2")
    assert attributes(body["resourceSpans"][0]["resource"])["service.name"] == "bursard"


def test_the_callers_sampling_counts_and_chance_only_without_a_caller(start_bursard, fleet_at, receiver):
    never = fleet_at(start_bursard(otlp_endpoint=receiver.url + "/", trace_sample_ppm=0).grpc_addr)
    always = fleet_at(start_bursard(env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}, trace_sample_ppm=1000000).grpc_addr)
    unsampled, last = [Trace("00"), Trace("02")], Trace()
    for bots in (never, always):
        for trace in unsampled:
            check(bots, unique("traced"), trace)
    check(never, unique("traced"))
    check(always, unique("traced"))
    check(never, unique("traced"), last)
    server_span(receiver, last.id)
    until(lambda: any(span["name"] == "bursar.v1.Limiter/Check" and "parentSpanId" not in span for span in receiver.spans()), "the chosen one", 30)
    calls = [span for span in receiver.spans() if span["name"] == "bursar.v1.Limiter/Check"]
    assert len(calls) == 2 and not any(receiver.spans(trace.id) for trace in unsampled)


def test_the_trace_id_is_in_every_line_about_the_call(start_bursard, fleet_at):
    server = start_bursard(log_level="debug")
    bots, trace, user = fleet_at(server.grpc_addr), Trace("00"), unique("logged")
    while check(bots, user, trace).allowed:
        pass
    lines = lines_about(server, user)
    assert len(lines) == 4 and all(f"trace_id={trace.id}" in line for line in lines), lines
    check(bots, user)
    assert "trace_id" not in lines_about(server, user)[4]
    for wrong in ("", "00-nonsense", trace.header[0][1].upper()):
        bots.limiter.Check(bots.request(user), timeout=20, metadata=(("traceparent", wrong),))
    assert not any("trace_id" in line for line in lines_about(server, user)[5:])


def test_items_of_a_batch_and_callers_in_a_queue_have_it_too(start_bursard, fleet_at):
    server = start_bursard(log_format="json")
    bots, batch, queue, user = fleet_at(server.grpc_addr), Trace("00"), Trace("00"), unique("logged")
    items = [bots.request(user) for _ in range(5)]
    answer = bots.limiter.CheckBatch(bots.limiter_pb.CheckBatchRequest(items=items), timeout=20, metadata=batch.header)
    assert [item.response.allowed for item in answer.items].count(False) == 2
    denied = bots.limiter.Acquire(bots.limiter_pb.AcquireRequest(check=bots.request(user)), timeout=20, metadata=queue.header)
    assert next(denied).HasField("denied")
    denials = [json.loads(line) for line in server.log().splitlines() if "check denied" in line]
    assert [line.get("trace_id") for line in denials] == [batch.id, batch.id, queue.id]


def test_a_call_over_http_has_it_too(start_bursard, receiver):
    server, trace = start_bursard(otlp_endpoint=receiver.url), Trace()
    request = urllib.request.Request(f"http://{server.http_addr}/v1/check", data=json.dumps({"user": unique("traced")}).encode(),
                                     headers={"Content-Type": "application/json", **dict(trace.header)})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert json.load(answer)["allowed"]
    span = server_span(receiver, trace.id)
    assert (span["name"], span["parentSpanId"]) == ("POST /v1/check", trace.parent)
    assert attributes(span) == {"http.request.method": "POST", "http.route": "/v1/check", "bursar.rpc": "bursar.v1.Limiter/Check",
                                "bursar.status_code": "0"}


def test_a_span_over_http_has_nothing_that_the_caller_put_into_the_request(start_bursard, receiver):
    server = start_bursard(otlp_endpoint=receiver.url)
    for method, path, name in (("GET", "/v1/tiers/secret?tenant=mine", "GET /v1/tiers/{name}"), ("HIDDEN", "/v1/authorize?user=secret", "_OTHER /v1/authorize"),
                               ("GET", "/api/quotas?userId=secret", "GET /api/quotas")):
        trace = Trace()
        Door(server.http_addr)(method, path, **dict(trace.header))
        span = server_span(receiver, trace.id)
        assert span["name"] == name and "secret" not in json.dumps(span) and "mine" not in json.dumps(span), span


def test_streams_that_their_callers_leave_leave_nothing_behind(start_bursard, fleet_at, receiver):
    server = start_bursard(otlp_endpoint=receiver.url, max_concurrent_agents=1)
    bots, holder, waiter = fleet_at(server.grpc_addr), Trace(), Trace()
    streams = []
    for trace, event in ((holder, "granted"), (waiter, "queued")):
        streams.append(bots.limiter.Acquire(bots.limiter_pb.AcquireRequest(check=bots.request(unique("traced"))), timeout=60, metadata=trace.header))
        while not next(streams[-1]).HasField(event):
            pass
    for stream, trace in zip(reversed(streams), (waiter, holder)):
        stream.cancel()
        span = server_span(receiver, trace.id)
        assert (span["name"], attributes(span)["rpc.grpc.status_code"]) == ("bursar.v1.Limiter/Acquire", "1")


def test_a_batch_makes_a_bounded_number_of_spans(start_bursard, fleet_at, receiver):
    bots, trace = fleet_at(start_bursard(otlp_endpoint=receiver.url).grpc_addr), Trace()
    bots.limiter.CheckBatch(bots.limiter_pb.CheckBatchRequest(items=[bots.request(unique("traced")) for _ in range(100)]), timeout=30,
                            metadata=trace.header)
    server_span(receiver, trace.id)
    assert len(receiver.spans(trace.id)) == 33


def test_a_receiver_that_is_away_or_refuses_costs_spans_and_nothing_else(start_bursard, fleet_at, receiver):
    server = start_bursard(otlp_endpoint=receiver.url)
    bots, receiver.status = fleet_at(server.grpc_addr), 503
    check(bots, unique("traced"), Trace())
    until(lambda: server.metric("spans_lost_total", why="unsent") >= 2, "lost spans", 30)
    receiver.status = 200
    trace = Trace()
    check(bots, unique("traced"), trace)
    server_span(receiver, trace.id)
    until(lambda: server.metric("spans_exported_total") >= 2, "exported spans", 30)
    receiver.shutdown()
    receiver.server_close()
    lost = server.metric("spans_lost_total", why="unsent")
    check(bots, unique("traced"), Trace())
    until(lambda: server.metric("spans_lost_total", why="unsent") > lost, "more lost spans", 30)


def test_what_waits_is_exported_when_bursard_stops(start_bursard, fleet_at, receiver):
    server = start_bursard(otlp_endpoint=receiver.url)
    bots, traces = fleet_at(server.grpc_addr), [Trace() for _ in range(3)]
    for trace in traces:
        check(bots, unique("traced"), trace)
    server.stop()
    assert all(receiver.spans(trace.id) for trace in traces)


def test_tls_is_verified(start_bursard, fleet_at, tmp_path):
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*ours.issue("receiver"))
    with serving(tls) as receiver:
        right = start_bursard(otlp_endpoint=receiver.url, otlp_ca=ours.cert)
        wrong = start_bursard(otlp_endpoint=receiver.url, otlp_ca=theirs.cert)
        seen, unseen = Trace(), Trace()
        check(fleet_at(wrong.grpc_addr), unique("traced"), unseen)
        until(lambda: wrong.metric("spans_lost_total", why="unsent") > 0, "lost spans", 30)
        check(fleet_at(right.grpc_addr), unique("traced"), seen)
        server_span(receiver, seen.id)
        assert not receiver.spans(unseen.id)


@pytest.mark.parametrize("options, sentence", [
    (["--otlp-endpoint", "127.0.0.1:4317"], "otlp_endpoint: not the address of an OTLP/HTTP receiver"),
    (["--otlp-endpoint", "http://127.0.0.1:4318", "--otlp-headers", "secret"], "otlp_headers: must be name=value"),
    (["--otlp-endpoint", "https://127.0.0.1:4318", "--otlp-ca", "/does/not/exist"], "otlp_ca: /does/not/exist is not a readable PEM file"),
])
def test_wrong_options_are_refused_with_a_sentence(redis, postgres, options, sentence):
    done = subprocess.run([program("bursard"), "--redis", redis.url, "--postgres", postgres.conninfo, "--grpc-listen", "127.0.0.1:0",
                           "--http-listen", "127.0.0.1:0", *options], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2 and sentence in done.stderr.replace("-", "_")


@pytest.fixture(scope="session")
def schema(tmp_path_factory):
    """OpenTelemetry's own schema, from PyPI: ExportTraceServiceRequest."""
    folder = tmp_path_factory.mktemp("opentelemetry")
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "opentelemetry-proto==1.38.0"], check=True, timeout=600)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2").ExportTraceServiceRequest
    sys.path.remove(str(folder))


@pytest.mark.long
def test_the_export_is_opentelemetrys_message(start_bursard, fleet_at, receiver, schema):
    json_format = importlib.import_module("google.protobuf.json_format")
    bots, trace = fleet_at(start_bursard(otlp_endpoint=receiver.url).grpc_addr), Trace()
    check(bots, unique("traced"), trace)
    span = server_span(receiver, trace.id)
    (body,) = [body for _, _, body in receiver.requests if trace.id in json.dumps(body) and span["spanId"] in json.dumps(body)][:1]
    # OTLP's JSON has ids in hex; protobuf's, which this parser reads, in base64. Unknown fields are errors to it.
    text = re.sub(r'"(traceId|spanId|parentSpanId)": "([0-9a-f]+)"',
                  lambda m: f'"{m[1]}": "{base64.b64encode(bytes.fromhex(m[2])).decode()}"', json.dumps(body))
    message = json_format.Parse(text, schema())
    spans = {s.span_id.hex(): s for r in message.resource_spans for scope in r.scope_spans for s in scope.spans}
    assert spans[span["spanId"]].trace_id.hex() == trace.id and spans[span["spanId"]].name == "bursar.v1.Limiter/Check"
    assert all(len(s.trace_id) == 16 and len(s.span_id) == 8 and s.start_time_unix_nano <= s.end_time_unix_nano for s in spans.values())
