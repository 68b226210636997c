"""Clients that generators make of the OpenAPI document (from PyPI and npm): they are made without a remark, and they work."""
import os
import subprocess
import sys

import pytest

from harness.paths import program

PYTHON = "openapi-python-client==0.29.1", "openapi-spec-validator==0.9.0"
NODE = "openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3"  # typescript 7 has no library that openapi-typescript could use

pytestmark = [pytest.mark.long, pytest.mark.patience(1200)]


@pytest.fixture(scope="module", name="folder")
def folder_with_document(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    with open(folder / "openapi.json", "wb") as out:
        subprocess.run([program("bursard"), "--print-openapi"], check=True, stdout=out)
    return folder


def run(*command, folder, **env):
    done = subprocess.run([str(word) for word in command], cwd=folder, env={**os.environ, **env}, capture_output=True, text=True,
                          timeout=900, check=False)
    assert done.returncode == 0, f"{command[0]}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module", name="tools")
def python_tools(folder):
    run(sys.executable, "-m", "venv", "tools", folder=folder)
    run("tools/bin/pip", "install", "-q", *PYTHON, folder=folder)
    return folder / "tools" / "bin"


@pytest.fixture(scope="module")
def python_client(folder, tools):
    said = run(tools / "openapi-python-client", "generate", "--path", "openapi.json", "--output-path", "python", "--meta", "none",
               folder=folder, PATH=f"{tools}:{os.environ['PATH']}")
    assert "not be included" not in said and "WARNING" not in said.upper().replace("WARNING(S) ENCOUNTERED", "") and "ERROR" not in said.upper(), said
    return folder


@pytest.fixture(scope="module")
def node_client(folder):
    run("npm", "install", "--no-fund", "--no-audit", "--silent", *NODE, folder=folder)
    run("npx", "openapi-typescript", "openapi.json", "-o", "api.d.ts", folder=folder)
    return folder


def test_the_document_is_valid_openapi(folder, tools):
    assert "OK" in run(tools / "openapi-spec-validator", "openapi.json", folder=folder)


PYTHON_PROGRAM = """
import sys
from python import Client
from python.api.accounts import get_account, list_accounts, put_account, suspend, unsuspend
from python.api.limiter import check, get_status, record
from python.api.tiers import get_tier, put_tier
from python.models import (AccountKind, CheckDenyStatus, CheckLimitHeaders, CheckRequest, CheckResponse, GetAccountKind, PutAccountBody, PutAccountKind,
                           RecordRequest, ReservationRef, Status, SuspendBody, SuspendKind, TierInput, TokenUsageInput, LimitInput,
                           Dimension, LimitKind, UnsuspendBody, UnsuspendKind)

client = Client(base_url=sys.argv[1])
limit = LimitInput(name="day", dimension=Dimension.DIMENSION_TOKENS, kind=LimitKind.LIMIT_KIND_BUCKET, amount=1000, period_us=3600_000_000)
tier = put_tier.sync("py", client=client, body=TierInput(limits=[limit]), reason="a test")
assert tier.limits[0].amount == "1000", tier
assert get_tier.sync("py", client=client).to_dict() == tier.to_dict()
name = "py/1 \\u00e9"
account = put_account.sync(PutAccountKind.USER, name, client=client, body=PutAccountBody(tier="py"))
assert account.ref.id == name and account.tier == "py", account
answer = check.sync(client=client, body=CheckRequest(user=name, request_id="r1", input_tokens=600, max_output_tokens="100"), limit_headers=CheckLimitHeaders.BOTH)
assert isinstance(answer, CheckResponse) and answer.allowed and answer.held_tokens == "700", answer
done = record.sync(client=client, body=RecordRequest(reservation=ReservationRef(handle=answer.reservation),
                                                     usage=TokenUsageInput(input_tokens=500)))
assert done.tokens == "500" and not done.repeat, done
denied = check.sync_detailed(client=client, body=CheckRequest(user=name, request_id="r2", input_tokens=900))
assert denied.status_code == 429 and not denied.parsed.allowed and denied.parsed.binding.limit.name == "day", denied
assert check.sync_detailed(client=client, body=CheckRequest(user=name, input_tokens=900), deny_status=CheckDenyStatus.VALUE_403).status_code == 403
assert suspend.sync(SuspendKind.USER, name, client=client, body=SuspendBody(reason="a test")).suspended
assert not unsuspend.sync(UnsuspendKind.USER, name, client=client, body=UnsuspendBody()).suspended
assert [row.ref.id for row in list_accounts.sync(client=client, tier="py").accounts] == [name]
assert get_account.sync(GetAccountKind.USER, name, client=client).ref.kind == AccountKind.ACCOUNT_KIND_USER
assert get_status.sync(client=client, user=name).accounts[0].limits[0].limit.name == "day"
wrong = get_tier.sync_detailed("none", client=client)
assert wrong.status_code == 404 and isinstance(wrong.parsed, Status) and wrong.parsed.code == 5, wrong
print("right")
"""


def test_a_python_client_works(python_client, tools, bursard):
    (python_client / "smoke.py").write_text(PYTHON_PROGRAM, encoding="utf-8")
    assert "right" in run(tools / "python", "smoke.py", f"http://{bursard.http_addr}", folder=python_client)


NODE_PROGRAM = """
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[]; exit(code: number): never };
declare const console: { log(...words: unknown[]): void };
const client = createClient<paths>({ baseUrl: process.argv[2] });

function must(right: unknown, ...words: unknown[]): asserts right {
	if (!right) {
		console.log("wrong:", ...words.map((word) => JSON.stringify(word)));
		process.exit(1);
	}
}

const limit: components["schemas"]["LimitInput"] = { name: "day", dimension: "DIMENSION_TOKENS", kind: "LIMIT_KIND_BUCKET", amount: 1000, period_us: "3600000000" };
const tier = await client.PUT("/v1/tiers/{name}", { params: { path: { name: "ts" }, query: { reason: "a test" } }, body: { limits: [limit] } });
must(tier.data?.limits[0].amount === "1000", tier.error);
/* What was read can be written again. */
const again = await client.PUT("/v1/tiers/{name}", { params: { path: { name: "ts" } }, body: { ...tier.data, upgrade_to: "pro" } });
must(again.data?.upgrade_to === "pro", again.error);
const id = "ts/1 \\u00e9";
const account = await client.PATCH("/v1/accounts/{kind}/{id}", { params: { path: { kind: "user", id } }, body: { tier: "ts" } });
must(account.data?.ref?.id === id, account.error);
const checked = await client.POST("/v1/check", { body: { user: id, request_id: "r1", input_tokens: 600, max_output_tokens: 100 } });
must(checked.data?.allowed && checked.data.held_tokens === "700", checked.error);
const recorded = await client.POST("/v1/record", { body: { reservation: { handle: checked.data.reservation }, usage: { input_tokens: 500 } } });
must(recorded.data?.tokens === "500", recorded.error);
const denied = await client.POST("/v1/check", { body: { user: id, request_id: "r2", input_tokens: 900 } });
must(denied.response.status === 429 && denied.error && "allowed" in denied.error && denied.error.binding?.limit?.name === "day", denied.error);
const listed = await client.GET("/v1/accounts", { params: { query: { tier: "ts", state: "active" } } });
must(listed.data?.accounts.length === 1 && listed.data.accounts[0].ref?.id === id, listed.error);
const wrong = await client.GET("/v1/tiers/{name}", { params: { path: { name: "none" } } });
must(wrong.response.status === 404 && wrong.error?.code === 5, wrong.error);
console.log("right");
"""


def test_a_typescript_client_compiles_and_works(node_client, bursard):
    (node_client / "smoke.mts").write_text(NODE_PROGRAM, encoding="utf-8")
    run("npx", "tsc", "--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom", "--skipLibCheck", "smoke.mts", folder=node_client)
    assert "right" in run("node", "smoke.mjs", f"http://{bursard.http_addr}", folder=node_client)
    (node_client / "wrong.mts").write_text(NODE_PROGRAM.replace('kind: "user"', 'kind: "robot"'), encoding="utf-8")
    with pytest.raises(AssertionError, match="robot"):
        run("npx", "tsc", "--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom", "--skipLibCheck", "wrong.mts", folder=node_client)
