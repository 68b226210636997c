#!/bin/bash
# OTLP/JSON, as the specification prints it, read with the package of OTLP's messages.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: opentelemetry-proto 1.45.2, protobuf 7.36.2 (PyPI)"
echo "Guess:    the published messages and protobuf's JSON read OTLP/JSON; if the encodings differ, an id of the wrong length is refused."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" opentelemetry-proto==1.45.2 protobuf==7.36.2 >&2
cat >"$dir/probe.py" <<'EOF'
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span

text = '{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}'
span = json_format.Parse(text, Span())
print(f"read: trace_id {len(span.trace_id)} bytes {span.trace_id.hex()}, span_id {len(span.span_id)} bytes {span.span_id.hex()}")
print("written again:", json_format.MessageToJson(span, indent=None))
right = Span(trace_id=bytes.fromhex("5b8efff798038103d269b633813fc60c"), span_id=bytes.fromhex("eee19b7ec3c1b174"))
print("the real span written:", json_format.MessageToJson(right, indent=None))
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py"
)
echo "Seen:"
echo "$seen"
echo "Matters:  hex digits are valid base64: the ids are stored with 24 and 12 bytes instead of 16 and 8, JSON written from them looks"
echo "          right, and only the binary form no longer joins the trace. Convert traceId and spanId from hex before and after the library."
[ "$seen" = "read: trace_id 24 bytes e5bf1e7df7fbf7cd37f35d37776ebd6fadf7f35ddf73ad1c, span_id 12 bytes 79e7b5f5bede7377356f5ef8
written again: {\"traceId\": \"5b8efff798038103d269b633813fc60c\", \"spanId\": \"eee19b7ec3c1b174\"}
the real span written: {\"traceId\": \"W47/95gDgQPSabYzgT/GDA==\", \"spanId\": \"7uGbfsPBsXQ=\"}" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
