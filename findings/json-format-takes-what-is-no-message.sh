#!/bin/bash
# Values of the wrong JSON type, and a float, read by protobuf for Python.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: protobuf 7.36.2 (PyPI), @bufbuild/protobuf 2.17.0 (npm)"
echo "Guess:    what is not the JSON of a field's type is refused, and what the library has written it reads again."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" protobuf==7.36.2 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund @bufbuild/protobuf@2.17.0 >&2)
cat >"$dir/texts" <<'EOF'
FloatValue|3.4028235e+38
BytesValue|"!!!!"
BytesValue|"aGk=aGk="
Field|{"kind": 1.5}
Field|{"kind": true}
Field|{"kind": "1"}
Type|{"sourceContext": ""}
Type|{"sourceContext": []}
Duration|"1_000s"
Timestamp|"2026-11-30T10:00:00+25:00"
Timestamp|"2026-02-30T10:00:00Z"
EOF
cat >"$dir/probe.py" <<'EOF'
import sys
from google.protobuf import duration_pb2, json_format, timestamp_pb2, type_pb2, wrappers_pb2

print("the largest float is written as", json_format.MessageToJson(wrappers_pb2.FloatValue(value=3.4028234663852886e38)), file=sys.stderr)
for line in sys.stdin.read().splitlines():
    name, text = line.split("|")
    kind = next(getattr(m, name) for m in (duration_pb2, timestamp_pb2, type_pb2, wrappers_pb2) if hasattr(m, name))
    try:
        print(json_format.MessageToJson(json_format.Parse(text, kind()), indent=None))
    except json_format.ParseError:
        print("refused")
EOF
cat >"$dir/probe.mjs" <<'EOF'
import { fromJsonString, toJsonString } from '@bufbuild/protobuf';
import * as wkt from '@bufbuild/protobuf/wkt';
import { readFileSync } from 'fs';
for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
	const [name, text] = line.split('|');
	const schema = wkt[name + 'Schema'];
	try { console.log(toJsonString(schema, fromJsonString(schema, text))); } catch { console.log('refused'); }
}
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py" <"$dir/texts" 2>&1 >"$dir/a"
	(cd "$dir" && node probe.mjs <texts >b)
	paste -d '|' "$dir/texts" "$dir/a" "$dir/b" | awk -F '|' '{ print $1 " " $2 "  Python: " $3 "  TypeScript: " $4 }'
)
echo "Seen:"
echo "$seen"
echo "Matters:  a gateway's \`\"limits\": \"\"\` or \`[]\` becomes a set, empty message instead of an error, 1.5 an enum's member, a text without"
echo "          one base64 digit no bytes; and a document with the largest float cannot be loaded again. Check types by a schema before the"
echo "          library sees the document."
[ "$seen" = "the largest float is written as 3.4028235e+38
FloatValue 3.4028235e+38  Python: refused  TypeScript: 3.4028235e+38
BytesValue \"!!!!\"  Python: \"\"  TypeScript: refused
BytesValue \"aGk=aGk=\"  Python: \"aGk=\"  TypeScript: \"aGloaQ==\"
Field {\"kind\": 1.5}  Python: {\"kind\": \"TYPE_DOUBLE\"}  TypeScript: refused
Field {\"kind\": true}  Python: {\"kind\": \"TYPE_DOUBLE\"}  TypeScript: refused
Field {\"kind\": \"1\"}  Python: {\"kind\": \"TYPE_DOUBLE\"}  TypeScript: refused
Type {\"sourceContext\": \"\"}  Python: {\"sourceContext\": {}}  TypeScript: refused
Type {\"sourceContext\": []}  Python: {\"sourceContext\": {}}  TypeScript: refused
Duration \"1_000s\"  Python: \"1000s\"  TypeScript: refused
Timestamp \"2026-11-30T10:00:00+25:00\"  Python: \"2026-11-29T09:00:00Z\"  TypeScript: refused
Timestamp \"2026-02-30T10:00:00Z\"  Python: refused  TypeScript: \"2026-03-02T10:00:00Z\"" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
