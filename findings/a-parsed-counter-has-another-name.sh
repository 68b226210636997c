#!/bin/bash
# Prometheus's text format, read and served by the client for Python.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: prometheus_client 0.26.0 (PyPI)"
echo "Guess:    a parser gives each sample the name that it has in the text; a server does not send a format that the request excludes with"
echo "          q=0."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" prometheus_client==0.26.0 >&2
cat >"$dir/probe.py" <<'EOF'
from prometheus_client import exposition
from prometheus_client.parser import text_string_to_metric_families

for text in ("# TYPE requests counter\nrequests 1\n", "# TYPE requests gauge\nrequests 1\n", "requests 1\n"):
    names = [s.name for family in text_string_to_metric_families(text) for s in family.samples]
    print(f"{text!r} is read as", names)
for accept in ("text/plain", "text/plain;q=1, application/openmetrics-text;version=1.0.0;q=0.1", "text/plain, application/openmetrics-text;version=1.0.0;q=0"):
    print(f"Accept: {accept} gets {exposition.choose_encoder(accept)[1].split(';')[0]}")
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a check that reads /metrics with this parser looks for \`requests\` and finds only \`requests_total\`, a name that the server"
echo "          does not have. Compare names with the text, and let a proxy that wants plain text send no other type in Accept."
[ "$seen" = "'# TYPE requests counter\\nrequests 1\\n' is read as ['requests_total']
'# TYPE requests gauge\\nrequests 1\\n' is read as ['requests']
'requests 1\\n' is read as ['requests']
Accept: text/plain gets text/plain
Accept: text/plain;q=1, application/openmetrics-text;version=1.0.0;q=0.1 gets application/openmetrics-text
Accept: text/plain, application/openmetrics-text;version=1.0.0;q=0 gets application/openmetrics-text" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
