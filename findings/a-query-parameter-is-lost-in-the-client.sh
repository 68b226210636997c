#!/bin/bash
# A valid OpenAPI document with parameters called headers and params, and codes in an enum.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: openapi-python-client 0.29.1 (PyPI)"
echo "Guess:    the generator renames a parameter that collides with its own variables, as it does with client and url; the members of an"
echo "          enum do not change their values when one is added."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" openapi-python-client==0.29.1 httpx==0.28.1 >&2
cat >"$dir/make.py" <<'EOF'
import json, sys

query = [{"name": n, "in": "query", "schema": {"type": "string"}} for n in ("headers", "params", "cookies", "client", "url")]
trace = {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}
codes = {"type": "string", "enum": sys.argv[1].split(",")}
numbers = {"type": "integer", "enum": [int(n) for n in sys.argv[1].split(",")]}
answer = {"type": "object", "properties": {"code": codes, "number": numbers}}
print(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"get": {"operationId": "ask", "parameters": [*query, trace],
    "responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}}}}}},
    "components": {"schemas": {"Answer": answer}}}))
EOF
cat >"$dir/probe.py" <<'EOF'
import importlib

for where in ("one", "two"):
    models = importlib.import_module(where + ".models")
    print("string", {m.name: m.value for m in models.AnswerCode}, "integer", {m.name: m.value for m in models.AnswerNumber})
ask = importlib.import_module("one.api.default.ask")
sent = ask._get_kwargs(headers="H", params="P", cookies="C", client_query="L", url_query="U", x_trace="T")["params"]
print("headers=H, params=P, cookies=C, client=L, url=U are sent as", {k: v if isinstance(v, str) else type(v).__name__ for k, v in sent.items()})
print("headers is", sent["headers"])
EOF
seen=$(
	cd "$dir"
	python3 make.py 429,500 >one.json
	python3 make.py 408,429,500 >two.json
	for of in one two; do PYTHONPATH="$dir/py" PATH="$dir/py/bin:$PATH" python3 -m openapi_python_client generate --path $of.json --output-path $of --meta none >&2; done
	PYTHONPATH="$dir/py:$dir" python3 probe.py
)
echo "Seen:"
echo "$seen"
echo "Matters:  the generated client sends the server something other than what the caller passed, without an error: \`headers\` is the"
echo "          mapping of the request's headers, trace id and all. Do not call parameters headers or params. A new value in the"
echo "          document changes what VALUE_0 means to existing callers: give enums names that begin with a letter."
[ "$seen" = "string {'VALUE_0': '429', 'VALUE_1': '500'} integer {'VALUE_429': 429, 'VALUE_500': 500}
string {'VALUE_0': '408', 'VALUE_1': '429', 'VALUE_2': '500'} integer {'VALUE_408': 408, 'VALUE_429': 429, 'VALUE_500': 500}
headers=H, params=P, cookies=C, client=L, url=U are sent as {'headers': 'dict', 'params': 'dict', 'cookies': 'C', 'client': 'L', 'url': 'U'}
headers is {'X-Trace': 'T'}" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
