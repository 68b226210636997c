#!/bin/bash
# A field called cache_write_1h_tokens: what protobuf's own JSON, protobuf-es and protobufjs call it in camelCase.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: protobufjs 8.8.1 and @grpc/proto-loader 0.8.1, @bufbuild/protobuf 2.17.0 (npm), protobuf 7.36.2 with grpcio-tools 1.85.1 (PyPI)"
echo "Guess:    all of them write the field's JSON name, cacheWrite1hTokens; and whoever sets an unknown field is told."

cd "$dir"
npm install --silent --no-audit --no-fund protobufjs@8.8.1 @grpc/proto-loader@0.8.1 @bufbuild/protobuf@2.17.0 >&2
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target packages grpcio-tools==1.85.1 protobuf==7.36.2 >&2
cat >usage.proto <<'EOF'
syntax = "proto3";
message Usage {
	int32 cache_write_tokens = 1;
	int32 cache_write_1h_tokens = 2;
}
service Ledger { rpc Record (Usage) returns (Usage); }
EOF
cat >probe.py <<'EOF'
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_tools import protoc

protoc.main(["protoc", "-I.", "--descriptor_set_out=usage.bin", "usage.proto"])
with open("usage.bin", "rb") as file:
    described = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file[0]
pool = descriptor_pool.DescriptorPool()
pool.Add(described)
print("protobuf's JSON:", pool.FindMessageTypeByName("Usage").fields[1].json_name)
EOF
cat >probe.mjs <<'EOF'
import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import loader from '@grpc/proto-loader';
import protobuf from 'protobufjs';

const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync('usage.bin')));
console.log('protobuf-es:', files.getMessage('Usage').fields[1].localName);
const Usage = (await protobuf.load('usage.proto')).lookupType('Usage');
console.log('protobufjs:', Object.keys(Usage.fields)[1]);
const { requestSerialize } = loader.loadSync('usage.proto').Ledger.Record;
for (const name of ['cacheWrite1hTokens', 'cacheWrite_1hTokens'])
	console.log(`proto-loader sends ${requestSerialize({ [name]: 1000 }).length} bytes for { ${name}: 1000 }`);
EOF
seen=$(PYTHONPATH=packages python3 probe.py && node probe.mjs)
echo "Seen:"
echo "$seen"
echo "Matters:  a client that takes its names from the API's JSON or from another library sets a field that does not exist, without an"
echo "          error, and what it should have billed is 0. Keep digits out of the beginnings of words, or give fields a json_name."
[ "$seen" = "protobuf's JSON: cacheWrite1hTokens
protobuf-es: cacheWrite1hTokens
protobufjs: cacheWrite_1hTokens
proto-loader sends 0 bytes for { cacheWrite1hTokens: 1000 }
proto-loader sends 3 bytes for { cacheWrite_1hTokens: 1000 }" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
