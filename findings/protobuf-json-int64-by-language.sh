#!/bin/bash
# The same JSON for the same int64 field.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: protobuf 7.36.2 (PyPI) and @bufbuild/protobuf 2.17.0 (npm)"
echo "Guess:    what one official library accepts as an int64, the other accepts as well, with the same value; both refuse what is not a"
echo "          JSON integer: underscores, hexadecimal, digits of other scripts, spaces."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" protobuf==7.36.2 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund @bufbuild/protobuf@2.17.0 >&2)
cat >"$dir/texts" <<'EOF'
9007199254740993
"9007199254740993"
"1_000"
"٣"
"0x10"
" 1"
"1e3"
true
EOF
cat >"$dir/probe.py" <<'EOF'
import sys
from google.protobuf import json_format, wrappers_pb2

for text in sys.stdin.read().splitlines():
    try:
        print(json_format.Parse(text, wrappers_pb2.Int64Value()).value)
    except json_format.ParseError:
        print("refused")
EOF
cat >"$dir/probe.mjs" <<'EOF'
import { fromJsonString } from '@bufbuild/protobuf';
import { Int64ValueSchema } from '@bufbuild/protobuf/wkt';
import { readFileSync } from 'fs';
for (const text of readFileSync(0, 'utf8').trim().split('\n')) {
	try { console.log(String(fromJsonString(Int64ValueSchema, text).value)); } catch { console.log('refused'); }
}
EOF
seen=$(
	PYTHONPATH="$dir/py" PYTHONUTF8=1 python3 "$dir/probe.py" <"$dir/texts" >"$dir/a"
	(cd "$dir" && node probe.mjs <texts >b)
	paste -d '|' "$dir/texts" "$dir/a" "$dir/b" | awk -F '|' '{ print $1 "  Python: " $2 "  TypeScript: " $3 }'
)
echo "Seen:"
echo "$seen"
echo "Matters:  the meaning of token counts and nano-dollars in JSON depends on the language of the gateway that reads them: write them"
echo "          as quoted decimal digits, and validate the text against that pattern before the library sees it."
[ "$seen" = "9007199254740993  Python: 9007199254740993  TypeScript: 9007199254740992
\"9007199254740993\"  Python: 9007199254740993  TypeScript: 9007199254740993
\"1_000\"  Python: 1000  TypeScript: refused
\"٣\"  Python: 3  TypeScript: refused
\"0x10\"  Python: refused  TypeScript: 16
\" 1\"  Python: refused  TypeScript: 1
\"1e3\"  Python: 1000  TypeScript: refused
true  Python: refused  TypeScript: refused" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
