import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import * as api from "../../dist/esm/gen/bursar.js";
import { FieldError } from "../../dist/esm/wire/field_error.js";
import { fromJson, toJson } from "../../dist/esm/wire/json.js";
import { Message, type Field } from "../../dist/esm/wire/message.js";

const PROTO = fileURLToPath(new URL("../../../../proto/", import.meta.url));
const root = new protobuf.Root();
root.resolvePath = (_, target) => PROTO + target;
root.loadSync(["bursar/v1/types.proto", "bursar/v1/alerts.proto", "bursar/v1/limiter.proto", "bursar/v1/admin.proto"], { keepCase: true });
root.resolveAll();

const messages = Object.values(api).filter((one): one is Message<any> => one instanceof Message);

/* A generator that repeats itself, so that a failure can be looked at. */
let seed = 7;
function below(bound: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed % bound;
}

const INT64 = [0, 1, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 53 - 1, -1, -(2 ** 31), -(2 ** 53) + 1];
const TEXTS = ["", "a", "grüße", "日本語のテキスト", "x".repeat(39), "x".repeat(40), "é".repeat(64), "y".repeat(127), "z".repeat(20000), "a😀b"];

function value(field: Field, depth: number): any {
  switch (field.kind) {
    case "bool": return below(2) === 1;
    case "int32": return [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)][below(5)];
    case "uint32": return below(2 ** 31);
    case "int64": return INT64[below(INT64.length)];
    case "bigint": return [0n, 5n, 2n ** 63n - 1n, -(2n ** 63n)][below(4)];
    case "biguint": return [0n, 5n, 2n ** 64n - 1n, 2n ** 53n + 1n][below(4)];
    case "double": return [0, 1.5, -1e300][below(3)];
    case "bytes": return Buffer.from(TEXTS[below(6)]!);
    case "enum": return [...(field.of!() as any).numbers.keys()][below((field.of!() as any).numbers.size)];
    case "message": return sample(field.of!() as Message<any>, depth + 1);
    default: return TEXTS[below(TEXTS.length)];
  }
}

function sample(message: Message<any>, depth = 0): Record<string, any> {
  const result: Record<string, any> = {};

  for (const field of message.fields) {
    if (below(3) === 0 || (field.kind === "message" && depth > 2)) continue;
    result[field.name] = field.repeated ? Array.from({ length: below(4) }, () => value(field, depth)) : value(field, depth);
  }
  return result;
}

const theirs = (message: Message<any>) => root.lookupType(message.name);
const PLAIN = { longs: String, enums: String, bytes: String, defaults: true, arrays: true };

/* What we decode, in the form in which protobufjs prints it. */
function plain(message: Message<any>, decoded: any): any {
  const one = (field: Field, item: any): any => {
    if (field.kind === "message") return plain(field.of!() as Message<any>, item);
    if (field.kind === "int64" || field.kind === "bigint" || field.kind === "biguint") return String(item);
    return field.kind === "bytes" ? Buffer.from(item).toString("base64") : item;
  };
  return Object.fromEntries(message.fields.filter((field) => decoded[field.name] !== undefined)
    .map((field) => [field.name, field.repeated ? decoded[field.name].map((item: any) => one(field, item)) : one(field, decoded[field.name])]));
}

/* protobufjs would call a field cacheWrite_1hTokens that is cacheWrite1hTokens in protobuf's own JSON. */
const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const without = (object: any): any => (Array.isArray(object) ? object.map(without)
  : object && typeof object === "object"
    ? Object.fromEntries(Object.entries(object).filter(([, item]) => item !== null && item !== undefined).map(([key, item]) => [camel(key), without(item)]))
    : object);

test("every message is read by protobufjs as it was written, and read as protobufjs wrote it", () => {
  assert.ok(messages.length > 150, String(messages.length));
  for (const message of messages) {
    for (let i = 0; i < 15; i++) {
      const bytes = message.encode(sample(message));
      const read = without(theirs(message).toObject(theirs(message).decode(bytes), PLAIN));
      const again = theirs(message).encode(theirs(message).decode(bytes)).finish();
      const expected = without(theirs(message).toObject(theirs(message).decode(again), PLAIN));
      const ours = without(plain(message, message.decode(again)));
      for (const field of message.fields) if (field.presence && ours[field.name] === undefined) delete read[field.name], delete expected[field.name];
      assert.deepEqual(ours, expected, message.name);
      assert.deepEqual(ours, read, message.name);
    }
  }
});

test("what a number of 64 bits cannot say exactly is a bigint, or refused", () => {
  const granted = api.GrantedMessage.decode(api.GrantedMessage.encode({ fence: 2n ** 64n - 1n }));
  assert.equal(granted.fence, 18446744073709551615n);
  const line = api.CostLineMessage.decode(api.CostLineMessage.encode({ costPicoUsd: 2n ** 63n - 1n, tokens: 2 ** 53 - 1 }));
  assert.equal(line.costPicoUsd, 9223372036854775807n);
  assert.equal(line.tokens, 9007199254740991);
  const beyond = theirs(api.CostLineMessage).encode(theirs(api.CostLineMessage).fromObject({ tokens: "9007199254740993" })).finish();
  assert.throws(() => api.CostLineMessage.decode(beyond), { name: "FieldError", field: "tokens", message: "the number is beyond 2^53" });
});

test("what is not a number is refused, by the path of its field", () => {
  const refuse = (request: any, field: string, message: RegExp) => assert.throws(() => api.CheckBatchRequestMessage.encode(request), (error: FieldError) => {
    assert.equal(error.field, field);
    assert.match(error.message, message);
    return true;
  });
  refuse({ items: [{ inputTokens: "12,000" }] }, "items[0].inputTokens", /"12,000" is not a whole number/);
  refuse({ items: [{}, { inputTokens: NaN }] }, "items[1].inputTokens", /NaN is not a whole number/);
  refuse({ items: [{ inputTokens: 2 ** 53 }] }, "items[0].inputTokens", /2\^53-1/);
  refuse({ items: [{ user: 7 }] }, "items[0].user", /7 is not a text/);
  refuse({ items: [{ verbose: "yes" }] }, "items[0].verbose", /yes is not true or false/);
  refuse({ items: [{ expected: [{ dimension: "SEARCHES" }] }] }, "items[0].expected[0].dimension", /DIMENSION_WEB_SEARCHES/);
  refuse({ items: [{ input_tokens: 5 }] }, "items[0].input_tokens", /did you mean 'inputTokens'/);
  refuse({ items: {} }, "items", /not an array/);
});

test("after a message that was refused, the next one is whole", () => {
  assert.throws(() => api.CheckRequestMessage.encode({ user: "ann", inputTokens: 0.5 }));
  assert.deepEqual([...api.CheckRequestMessage.encode({ user: "ann" })], [18, 3, 97, 110, 110]);
});

test("a message that is cut short, or of something else, is refused and never read beyond", () => {
  const bytes = api.CheckResponseMessage.encode({ allowed: true, requestId: "abc", limits: [{ limit: { name: "x" }, used: 5 }] });
  for (let size = 0; size < bytes.length; size++) {
    try {
      api.CheckResponseMessage.decode(bytes.subarray(0, size));
    } catch (error) {
      assert.ok(error instanceof FieldError);
    }
  }
  for (let i = 0; i < 3000; i++) {
    try {
      api.CheckResponseMessage.decode(Buffer.from(Array.from({ length: below(40) }, () => below(256))));
    } catch (error) {
      assert.ok(error instanceof FieldError, String(error));
    }
  }
});

test("the values of a newer server are kept as numbers, and its fields skipped", () => {
  const bytes = Buffer.from([8, 1, 64, 99, 0xfa, 0x7f, 2, 1, 2]);
  const read = api.CheckResponseMessage.decode(bytes);
  assert.equal(read.allowed, true);
  assert.equal(read.reason, "99");
});

test("JSON is that of protobuf: numbers of 64 bits as text, names in camelCase, defaults left out", () => {
  const record = { reservation: { user: "ann", requestId: "r1", startedAtUs: 1796011838727314 }, usage: { inputTokens: 5, cacheWrite1hTokens: 2 }, attempt: 3, keepOpen: true };
  const json = toJson(api.RecordRequestMessage, record);
  assert.deepEqual(json, {
    reservation: { user: "ann", requestId: "r1", startedAtUs: "1796011838727314" }, usage: { inputTokens: "5", cacheWrite1hTokens: "2" }, attempt: 3, keepOpen: true,
  });
  assert.deepEqual(fromJson(api.RecordRequestMessage, json), record);
  assert.deepEqual(fromJson(api.RecordRequestMessage, { keep_open: true, usage: { cache_write_1h_tokens: 2, input_tokens: 5 }, attempt: 3, reservation: { request_id: "r1", user: "ann", started_at_us: 1796011838727314 } }), record);
  for (let i = 0; i < 50; i++) {
    const one = sample(api.RecordRequestMessage);
    const bytes = api.RecordRequestMessage.encode(fromJson(api.RecordRequestMessage, JSON.parse(JSON.stringify(toJson(api.RecordRequestMessage, one)))));
    assert.deepEqual(api.RecordRequestMessage.decode(bytes), api.RecordRequestMessage.decode(api.RecordRequestMessage.encode(one)));
  }
});
