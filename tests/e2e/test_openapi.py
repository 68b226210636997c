"""The OpenAPI document: it is whole, its examples fit it, and so does what the server answers."""
import http.client
import json
import re
import subprocess
from urllib.parse import quote, urlencode

import jsonschema
import pytest

from harness.paths import program
from web import Door

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module", name="document")
def printed_document():
    return json.loads(subprocess.run([program("bursard"), "--print-openapi"], check=True, capture_output=True).stdout)


@pytest.fixture(scope="module")
def operations(document):
    """{operationId: (method, path, operation)}"""
    return {operation["operationId"]: (method.upper(), path, operation) for path, item in document["paths"].items()
            for method, operation in item.items() if method in METHODS}


@pytest.fixture(scope="module")
def fits(document):
    """fits(value, schema): the errors of jsonschema, an implementation that shares nothing with ours."""
    def check(value, schema):
        validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]},
                                                    format_checker=jsonschema.FormatChecker())
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    return check


def schemas_of(value, path="#"):
    """Every schema of the document, with where it is."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key in ("example", "examples", "default", "enum"):
                continue
            if key == "schema" or path.endswith("/schemas") or path.endswith("/properties"):
                yield f"{path}/{key}", member
            yield from schemas_of(member, f"{path}/{key}")
    elif isinstance(value, list):
        for i, member in enumerate(value):
            yield from schemas_of(member, f"{path}/{i}")


def test_it_is_whole(document, operations):
    text = json.dumps(document)
    for name in set(re.findall(r'"#/components/([^"]+)"', text)):
        kind, called = name.split("/")
        assert called in document["components"][kind], f"{name} is missing"
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert used == set(document["components"]["schemas"]), "a schema that nothing uses"
    count = sum(len(METHODS & set(item)) for item in document["paths"].values())
    assert len(operations) == count > 60, "an operationId is used twice"
    for method, path, operation in operations.values():
        named = [row["name"] for row in operation["parameters"] if row["in"] == "path"]
        assert re.findall(r"\{(\w+)\}", path) == named, path
        assert len({(row["in"], row["name"]) for row in operation["parameters"]}) == len(operation["parameters"]), path
        assert ("requestBody" in operation) == (method in ("POST", "PUT", "PATCH")), path
        assert operation["description"] and operation["summary"] and operation["tags"], path


def test_every_schema_is_one(document):
    found = dict(schemas_of(document))
    assert len(found) > 500
    for place, schema in found.items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise AssertionError(f"{place}: {error.message}") from error


def test_every_operation_has_examples_that_fit(operations, fits):
    for name, (_, _, operation) in operations.items():
        for row in operation["parameters"]:
            if row["in"] == "path":
                assert "example" in row, f"{name} {row['name']}"
            if "example" in row:
                assert not fits(row["example"], row["schema"]), f"{name} {row['name']}"
        contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
        done = operation["responses"]["200"].get("content", {})
        contents += [done] if "application/json" in done else []
        for content in contents:
            media = content["application/json"]
            assert not fits(media["example"], media["schema"]), f"{name}: {fits(media['example'], media['schema'])}"


def test_what_does_not_fit_is_found(document, fits):
    check = {"$ref": "#/components/schemas/CheckRequest"}
    assert not fits({"user": "alice", "input_tokens": "12"}, check)
    assert fits({"input_tokens": 12}, check) == ["$: 'user' is a required property"]
    assert fits({"user": "alice", "interfaces": "web"}, check)
    assert fits({"user": "a\tb"}, check) and fits({"user": "a" * 129}, check) and fits({"user": "alice", "input_tokens": "1.5"}, check)
    assert "name" not in document["components"]["schemas"]["TierInput"].get("required", []), "the path has it"


# Their answers have no etag of their own.
COMPARE = ("deleteTier", "deleteAlertRule", "putAlertChannel", "deleteAlertChannel")


def test_etags_are_declared(operations):
    """Where an answer has one: the header, and what may be sent with it."""
    declared = {}
    for name, (_, _, operation) in operations.items():
        for row in operation["parameters"]:
            if row["name"] in ("If-Match", "If-None-Match"):
                declared[name] = row["name"]
                assert ("412" if row["name"] == "If-Match" else "304") in operation["responses"]
                assert name in COMPARE or "ETag" in operation["responses"]["200"]["headers"]
    assert declared == {
        **dict.fromkeys(("getTier", "getPool", "getAccount"), "If-None-Match"),
        **dict.fromkeys(("putTier", "putPool", "resumePool", "putAccount", "deleteAccount", "setTier", "overrideLimits",
                         "setGrace", "setBypass", "suspend", "unsuspend", "putAlertRule", *COMPARE), "If-Match")}


def test_an_idempotency_key_is_declared_where_it_counts(operations):
    with_key = {name for name, (_, _, row) in operations.items() if "Idempotency-Key" in {one["name"] for one in row["parameters"]}}
    assert with_key == {"check", "acquire", "reset", "changeQuotas"}


HINTS = {"Retry-After", "retry-after-ms"}
LIMITS = {"RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}


def test_the_headers_of_a_denial_are_declared(document, operations):
    denial = HINTS | LIMITS | {"x-should-retry", "X-Bursar-Reason", "X-Bursar-Limit"}
    assert set(document["components"]["responses"]["Denied"]["headers"]) == denial
    assert set(document["components"]["responses"]["Refused"]["headers"]) == set(document["components"]["responses"]["Failed"]["headers"]) == HINTS
    assert set(operations["check"][2]["responses"]["200"]["headers"]) == LIMITS
    answers = operations["authorize"][2]["responses"]
    own = {"X-Bursar-Request-Id", "X-Bursar-Reservation"}
    assert [set(answers[status]["headers"]) for status in ("200", "403", "429")] == [LIMITS | own, denial | own, denial | own]


class Caller:
    def __init__(self, address, document, operations, fits):
        self.address, self.document, self.operations, self.fits = address, document, operations, fits

    def __call__(self, name, **values):
        """Sends an operation's example, with some parameters and members of the body changed; its answer, which fits."""
        method, path, operation = self.operations[name]
        rows = {(row["in"], row["name"]): values.pop(row["name"], row.get("example")) for row in operation["parameters"]}
        for (place, called), value in rows.items():
            if place == "path":
                path = path.replace("{" + called + "}", quote(str(value), safe=""))
        query = [(called, str(item).lower() if isinstance(item, bool) else item) for (place, called), value in rows.items()
                 if place == "query" and value is not None for item in (value if isinstance(value, list) else [value])]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        if body is not None:
            body = json.dumps({**body, **values})
        headers = {called: value for (place, called), value in rows.items() if place == "header" and value is not None}
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.request(method, path + ("?" + urlencode(query) if query else ""), body,
                           headers | ({"Content-Type": "application/json"} if body is not None else {}))
        answer = connection.getresponse()
        text = answer.read()
        answer.body = json.loads(text) if text else None
        connection.close()
        declared = operation["responses"].get(str(answer.status)) or operation["responses"][f"{answer.status // 100}XX"]
        assert answer.status < 500, f"{name}: {answer.body}"
        self.check(name, answer, declared)
        return answer

    def check(self, name, answer, declared):
        """Does the answer fit, with its headers?"""
        if answer.body is not None or "content" in declared:
            problems = self.fits(answer.body, self.schema(declared))
            assert not problems, f"{name} answers {answer.status}: {problems}"
        if name in ("check", "authorize"):
            resolved = self.document["components"]["responses"][declared["$ref"].split("/")[-1]] if "$ref" in declared else declared
            named = {header.lower() for header in resolved["headers"]}
            sent = {header.lower() for header in answer.headers if re.match("(?i)x-|r", header)}
            assert sent <= named, f"{name} answers headers that the document does not have: {sent - named}"

    @staticmethod
    def schema(declared):
        if "$ref" in declared:
            return {"$ref": declared["$ref"] + "/content/application~1json/schema"}
        return declared["content"]["application/json"]["schema"]


@pytest.fixture
def call(bursard, document, operations, fits):
    return Caller(bursard.http_addr, document, operations, fits)


def test_the_server_serves_it(bursard, document):
    connection = http.client.HTTPConnection(bursard.http_addr, timeout=30)
    connection.request("GET", "/openapi.json")
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("Content-Type") == "application/json"
    assert json.loads(answer.read()) == document
    connection.close()


# What must be there before, in this order; the other operations follow, those that take things away last.
FIRST = ("putAlertChannel", "testAlertChannel", "putAccount", "putTier", "putPool", "putPrice", "putAlias", "putFamily", "putText", "check", "getReservationByRequestId")
ORDER = "GET", "POST", "PATCH", "PUT", "DELETE"
REFUSED = {"record": 400, "release": 400, "renew": 400, "cancel": 400, "getReservation": 400, "cancelReservation": 400,  # made-up handles
           "eraseAccount": 400,  # not deleted yet
           "createSession": 400, "redeemLogin": 401,  # without a key, and with a made-up code
           "createKey": 400, "rotateKey": 404, "revokeKey": 404,
           "getAlertDelivery": 404, "resendAlertDelivery": 404}  # the first key must be an operator's


def test_every_example_is_understood_and_every_answer_fits(call, operations):
    streams = {name for name, (_, _, row) in operations.items() if "text/event-stream" in row["responses"]["200"].get("content", {})}
    rest = set(operations) - set(FIRST) - streams
    names = [*FIRST, *sorted(rest, key=lambda name: (ORDER.index(operations[name][0]), name))]
    answers = {name: call(name) for name in names}
    refused = {name: (answer.status, answer.body["message"]) for name, answer in answers.items() if answer.status != 200}
    assert {name: status for name, (status, _) in refused.items()} == REFUSED, refused


def closed(schema):
    """The schema without room for members that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def test_what_the_quotas_answer_is_described_whole(call, document, operations, bots):
    """Their schemas are written by hand, so they are held to answers with all that there is."""
    checker = jsonschema.FormatChecker()

    def described(name, **values):
        answer = call(name, **values)
        schema = closed({**operations[name][2]["responses"]["200"]["content"]["application/json"]["schema"], "components": document["components"]})
        problems = [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema, format_checker=checker).iter_errors(answer.body)]
        assert answer.status == 200 and not problems, problems
        return answer.body

    bots.account("alice", team="alices")
    bots.override("alices", bots.calendar("day", "cost", 10**9), kind="TEAM")
    bots.record(bots.check("alice", model="gpt-4o", input_tokens=1000, max_output_tokens=500), input_tokens=1000, output_tokens=200)
    bots.drained()
    got = described("getQuotas", model="gpt-4o")
    assert got["cost"]["byModel"] and got["daily"]["cost"]["used"] and {row["kind"] for row in got["shared"]} == {"team"}
    described("changeQuotas")
    stats = described("getQuotasStats")
    assert stats["topUsers"] and stats["byTeam"] and stats["costOverTime"]
    door = Door(call.address)
    for body in ({"action": "suspend", "reason": "spam"}, {"action": "grace", "hours": 2}, {"action": "reset", "requestId": "r"}):
        answer = door("POST", "/api/quotas", {"userId": "alice", **body}).json
        schema = closed({"$ref": "#/components/schemas/QuotasChanged", "components": document["components"]})
        assert not list(jsonschema.Draft202012Validator(schema, format_checker=checker).iter_errors(answer)), answer
    assert described("getQuotas")["status"] == "suspended"


def test_authorize_takes_the_parameters_that_are_declared(call, operations):
    """And no other: the document and the server read the same tables."""
    door = Door(call.address)
    values = {"deny_status": "403", "limit_headers": "none", "hold": "true", "user": "ann", "tenant": "default", "input_tokens": "5",
              "max_output_tokens": "5", "reservation_ttl_us": "5000000", "language": "en", "model": "gpt-4o", "interface": "web"}
    declared = [row["name"] for row in operations["authorize"][2]["parameters"] if row["in"] == "query"]
    assert {name for name in declared if not name.endswith("_header")} == set(values)
    for name in declared:
        assert door("GET", f"/v1/authorize?{name}={values.get(name, 'x-header')}", X_Bursar_User=f"by-{name}", X_Header="5").status == 200, name
