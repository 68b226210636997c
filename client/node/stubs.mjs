/** Makes TypeScript from the .proto files: for each message its type, with the comments, and the table that the codec reads. */
import { join } from "node:path";
import protobuf from "protobufjs";

const KINDS = { bool: "bool", int32: "int32", uint32: "uint32", int64: "int64", uint64: "biguint", double: "double", string: "string", bytes: "bytes" };
const TYPES = { bool: "boolean", int32: "number", uint32: "number", int64: "number", bigint: "bigint", biguint: "bigint", double: "number", string: "string", bytes: "Uint8Array" };

/* Sums in pico-USD saturate at 2^63-1; every other int64 is at most 2^53-1. */
const isBig = (field) => field.type === "int64" && /_pico_usd/.test(field.name);
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const lowerFirst = (name) => name[0].toLowerCase() + name.slice(1);

function comment(text, indent) {
  if (!text) return "";
  const lines = text.replaceAll("*/", "* /").split("\n");
  return lines.length === 1 ? `${indent}/** ${lines[0]} */\n` : `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join("")}${indent} */\n`;
}

function describe(field) {
  const resolved = field.resolvedType;
  if (field.map) return { kind: "map", type: "Record<string, string>" };
  if (resolved instanceof protobuf.Enum) return { kind: "enum", type: resolved.name, of: `${resolved.name}Enum` };
  if (resolved) return { kind: "message", type: resolved.name, of: resolved.name + "Message" };
  const kind = isBig(field) ? "bigint" : KINDS[field.type];
  if (!kind) throw new Error(`${field.fullName}: type ${field.type}`);
  return { kind, type: TYPES[kind] };
}

function message(type) {
  const fields = type.fieldsArray.map((field) => field.resolve()).sort((a, b) => a.id - b.id);
  let text = `${comment(type.comment, "")}export interface ${type.name} {\n`;
  const rows = [];
  for (const field of fields) {
    const { kind, type: tsType, of } = describe(field);
    const presence = Boolean(field.partOf) && kind !== "message";
    const optional = !field.repeated && (kind === "message" || presence);
    text += comment(field.comment, "  ");
    text += `  ${camel(field.name)}${optional ? "?" : ""}: ${tsType}${field.repeated ? "[]" : ""};\n`;
    const flags = (field.repeated ? "r" : "") + (presence ? "p" : "");
    rows.push(`  [${field.id}, "${camel(field.name)}", "${kind}"${flags || of ? `, "${flags}"` : ""}${of ? `, () => ${of}` : ""}],\n`);
  }
  text += "}\n";
  return `${text}export const ${type.name}Message: Message<${type.name}> = /* @__PURE__ */ new Message<${type.name}>("${type.fullName.slice(1)}", [\n${rows.join("")}]);\n\n`;
}

function enumeration(type) {
  const names = Object.keys(type.values);
  let text = comment(type.comment, "");
  text += `export type ${type.name} =\n${names.map((name) => `  | "${name}"`).join("\n")};\n`;
  return `${text}export const ${type.name}Enum: Enum = /* @__PURE__ */ new Enum(${JSON.stringify(type.values)});\n\n`;
}

function service(type) {
  let text = `${comment(type.comment, "")}export interface ${type.name} {\n`;
  let rows = "";
  /* The client has no calls to which the caller sends a stream. */
  for (const method of type.methodsArray.map((one) => one.resolve()).filter((one) => !one.requestStream)) {
    const request = method.resolvedRequestType.name;
    const answer = method.resolvedResponseType.name;
    const result = method.responseStream ? `AsyncIterableIterator<${answer}>` : `Promise<${answer}>`;
    text += comment(method.comment, "  ");
    text += `  ${lowerFirst(method.name)}(request: Init<${request}>, options?: CallOptions): ${result};\n`;
    rows += `  ${lowerFirst(method.name)}: { path: "/${type.fullName.slice(1)}/${method.name}", request: ${request}Message, ` +
      `answer: ${answer}Message, stream: ${Boolean(method.responseStream)} },\n`;
  }
  return `${text}}\nexport const ${type.name}Methods = {\n${rows}} as const;\n\n`;
}

function file(namespace) {
  const types = namespace.nestedArray;
  const services = types.filter((type) => type instanceof protobuf.Service);
  let text = "/* Made by the build from the .proto files. */\n" +
    `import { ${services.length ? "Enum, Message, type Init" : "Message"} } from "../wire/message.js";\n` +
    (services.length ? 'import type { CallOptions } from "../core/call.js";\n\n' : "\n");

  for (const type of types) {
    if (type instanceof protobuf.Enum) text += enumeration(type);
    else if (type instanceof protobuf.Type) text += message(type);
  }
  return text + services.map(service).join("");
}

/** [name of the file, its text] for each package. */
export function makeStubs(proto) {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => join(proto, target);
  root.loadSync(["bursar/v1/types.proto", "bursar/v1/alerts.proto", "bursar/v1/limiter.proto", "bursar/v1/admin.proto"],
    { keepCase: true, alternateCommentMode: true, preferTrailingComment: true });
  const rpc = new protobuf.Root();
  rpc.resolvePath = (_, target) => join(proto, target);
  rpc.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"], { keepCase: true, alternateCommentMode: true });
  root.resolveAll();
  rpc.resolveAll();
  const all = new protobuf.Namespace("all");
  const details = [...rpc.lookup("google.rpc").nestedArray, ...rpc.lookup("google.protobuf").nestedArray];
  Object.defineProperty(all, "nestedArray", { value: flatten(details) });
  return [["bursar.ts", file(root.lookup("bursar.v1"))], ["google.ts", file(all)]];
}

/** A message inside another one follows it; their names do not collide. */
function flatten(types) {
  return types.flatMap((type) => [type, ...flatten(type.nestedArray ?? [])]);
}
