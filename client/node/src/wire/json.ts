/** The JSON form of protobuf's messages, in which every language's client keeps records on disk. */
import { FieldError } from "./buffer.js";
import type { Enum, Field, Init, Message } from "./message.js";

function scalarToJson(field: Field, value: any): unknown {
  switch (field.kind) {
    case "int64":
    case "bigint":
    case "biguint":
      return String(value); /* as text, because other languages' readers of JSON may round it */
    case "bytes":
      return Buffer.from(value).toString("base64");
    case "message":
      return toJson(field.of!() as Message<any>, value);
    default:
      return value;
  }
}

/** Fields that have their default are left out, as in the canonical form. */
export function toJson<T extends object>(message: Message<T>, value: Init<T>): Record<string, unknown> {
  const json: Record<string, unknown> = {};

  for (const field of message.fields) {
    const item = (value as Record<string, any>)[field.name];
    if (item === undefined || item === null) continue;
    if (!field.presence && (item === 0 || item === "" || item === false || item === 0n)) continue;
    if (Array.isArray(item)) json[field.name] = item.map((one) => scalarToJson(field, one));
    else json[field.name] = scalarToJson(field, item);
  }
  return json;
}

function scalarFromJson(field: Field, value: any): unknown {
  switch (field.kind) {
    case "int32":
    case "uint32":
    case "int64": {
      const number = Number(value);
      if (!Number.isSafeInteger(number)) throw new FieldError(field.name, `${String(value)} is not a whole number up to 2^53-1`);
      return number;
    }
    case "bigint":
    case "biguint":
      return BigInt(value);
    case "bytes":
      return Buffer.from(value, "base64");
    case "enum":
      return (field.of!() as Enum).name((field.of!() as Enum).number(value));
    case "message":
      return fromJson(field.of!() as Message<any>, value);
    default:
      return value;
  }
}

/** Reads both spellings of names, `startedAtUs` and `started_at_us`. A name that is not known is refused. */
export function fromJson<T extends object>(message: Message<T>, json: unknown): Init<T> {
  const result: Record<string, unknown> = {};

  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new FieldError("", "is not an object");
  for (const [name, value] of Object.entries(json)) {
    const field = message.field(name) ?? message.field(name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()));
    if (!field) throw new FieldError(name, `${message.name} has no such field`);
    if (value === null) continue;
    result[field.name] = Array.isArray(value) ? value.map((one) => scalarFromJson(field, one)) : scalarFromJson(field, value);
  }
  return result as Init<T>;
}
