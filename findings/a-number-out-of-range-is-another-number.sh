#!/bin/bash
# What a gRPC client sends when it is given a number that the field cannot hold, or a text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: @grpc/grpc-js 1.14.7 with @grpc/proto-loader 0.8.1 (npm), betterproto2 0.10.0 and protobuf 7.36.2 (PyPI)"
echo "Guess:    a value that is not an int64, uint64 or int32 is an error in the client, before anything is sent."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" betterproto2==0.10.0 protobuf==7.36.2 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund @grpc/grpc-js@1.14.7 @grpc/proto-loader@0.8.1 >&2)
cat >"$dir/u.proto" <<'EOF'
syntax = "proto3";
service Ledger { rpc Settle (Usage) returns (Usage); }
message Usage { int64 tokens = 1; uint64 amount = 2; int32 seconds = 3; Kind kind = 4; }
enum Kind { UNKNOWN = 0; CHAT = 1; }
EOF
cat >"$dir/probe.js" <<'EOF'
const grpc = require('@grpc/grpc-js');
const { Ledger } = grpc.loadPackageDefinition(require('@grpc/proto-loader').loadSync('u.proto', { longs: String, enums: String }));
const server = new grpc.Server();
server.addService(Ledger.service, { Settle: (call, answer) => answer(null, call.request) });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), async (_, port) => {
	const client = new Ledger(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
	for (const given of [{ tokens: '12,000' }, { tokens: '1e3' }, { tokens: '1_000' }, { tokens: NaN }, { amount: '-1' }, { amount: -1 }, { seconds: 2 ** 31 }, { kind: 'VOICE' }]) {
		const got = await new Promise(done => client.Settle(given, (e, usage) => done(e ? `error: ${e.details}` : JSON.stringify(usage))));
		console.log('grpc-js sends', given, 'as', got);
	}
	process.exit();
});
EOF
cat >"$dir/probe.py" <<'EOF'
import dataclasses
import betterproto2
from google.protobuf import wrappers_pb2

@dataclasses.dataclass(eq=False, repr=False)
class Usage(betterproto2.Message):
    tokens: int = betterproto2.field(1, betterproto2.TYPE_INT64)
    amount: int = betterproto2.field(2, betterproto2.TYPE_UINT64)
    seconds: int = betterproto2.field(3, betterproto2.TYPE_INT32)

google = {"tokens": wrappers_pb2.Int64Value, "amount": wrappers_pb2.UInt64Value, "seconds": wrappers_pb2.Int32Value}
for name, value in (("tokens", 2**64 + 1), ("amount", -1), ("seconds", 2**31)):
    try:
        official = google[name](value=value).value
    except ValueError:
        official = "raises ValueError"
    print(f"betterproto2 sends {name} {value} as {getattr(Usage.parse(bytes(Usage(**{name: value}))), name)}; protobuf {official}")
EOF
seen=$(cd "$dir" && node probe.js && PYTHONPATH="$dir/py" python3 probe.py)
echo "Seen:"
echo "$seen"
echo "Matters:  a usage read from a text, or a difference that became negative, is settled as 1 token or as 18 quintillion of them,"
echo "          and the server cannot see that anything was wrong. Check in the client that a figure is a whole number within its range"
echo "          (in JavaScript Number.isSafeInteger or a BigInt), and let the server refuse what no request can cost."
[ "$seen" = "grpc-js sends { tokens: '12,000' } as {\"tokens\":\"12\"}
grpc-js sends { tokens: '1e3' } as {\"tokens\":\"1\"}
grpc-js sends { tokens: '1_000' } as {\"tokens\":\"1\"}
grpc-js sends { tokens: NaN } as {\"tokens\":\"0\"}
grpc-js sends { amount: '-1' } as {\"amount\":\"18446744073709551615\"}
grpc-js sends { amount: -1 } as {\"amount\":\"0\"}
grpc-js sends { seconds: 2147483648 } as {\"seconds\":-2147483648}
grpc-js sends { kind: 'VOICE' } as {}
betterproto2 sends tokens 18446744073709551617 as 1; protobuf raises ValueError
betterproto2 sends amount -1 as 18446744073709551615; protobuf raises ValueError
betterproto2 sends seconds 2147483648 as -2147483648; protobuf raises ValueError" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
