"""Schemathesis (from PyPI) over the OpenAPI document, with a key of each role: no 5xx, and no answer that the document does not have."""
import json
import os
import re
import subprocess
import sys

import pytest

from harness.paths import program
from web import Door

WANTED = "schemathesis==4.32.5"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = 12  # of each operation

pytestmark = [pytest.mark.long, pytest.mark.patience(3000)]


@pytest.fixture(scope="module", name="folder")
def folder_with_tool(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schemathesis")
    subprocess.run([sys.executable, "-m", "venv", "tools"], cwd=folder, check=True)
    subprocess.run(["tools/bin/pip", "install", "-q", WANTED], cwd=folder, check=True, timeout=600)
    return folder


def document_for(role):
    """A stream does not end, and Schemathesis would wait for it. Of /v1/authorize, 500 is the answer to a key that may not check."""
    document = json.loads(subprocess.run([program("bursard"), "--print-openapi"], check=True, capture_output=True).stdout)
    for path, item in list(document["paths"].items()):
        for method in [name for name, row in item.items() if "text/event-stream" in row["responses"]["200"].get("content", {})]:
            del item[method]
        if path == "/v1/authorize" and role in ("viewer", "user"):
            del item["get"]
        if not item:
            del document["paths"][path]
    return document


@pytest.mark.parametrize("role", ("operator", "admin", "viewer", "bot", "user"))
def test_nothing_is_answered_that_the_document_does_not_have(bursard, folder, role):
    with open(folder / "openapi.json", "w", encoding="utf-8") as out:
        json.dump(document_for(role), out)
    first = Door(bursard.http_addr)("POST", "/v1/keys", {"role": "operator", "label": "test"}).json["secret"]
    operator = Door(bursard.http_addr, Authorization=f"Bearer {first}")
    account = {"account": "alice"} if role == "user" else {}
    key = first if role == "operator" else operator("POST", "/v1/keys", {"role": role, **account}).json["secret"]
    done = subprocess.run(
        ["tools/bin/schemathesis", "run", "openapi.json", "--url", f"http://{bursard.http_addr}", "-H", f"Authorization: Bearer {key}",
         "--checks", CHECKS, "--phases", "examples,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "7", "--generation-database", "none",
         "--continue-on-failure", "--no-color", "--warnings", "off"],
        cwd=folder, capture_output=True, text=True, timeout=2400, check=False, env={**os.environ, "COLUMNS": "150"})
    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
    # It did call: a run that could not would be as silent.
    assert int(re.search(r"(\d+) generated", done.stdout.replace(",", ""))[1]) > 500, done.stdout[-2000:]
