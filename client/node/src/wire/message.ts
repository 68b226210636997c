/**
 * Messages of protobuf, described by tables that the build makes from the .proto files.
 *
 * There is no other runtime: int64 is a `number` where the API promises at most 2^53-1, and a `bigint` where it does not
 * (a lease's fence, sums in pico-USD), a misspelt field is refused instead of dropped, and an enum is its name.
 */
import { FieldError, Reader, Writer } from "./buffer.js";

/** What a caller may leave out of a request: everything. */
export type Init<T> = T extends Uint8Array | bigint
  ? T
  : T extends (infer U)[]
    ? Init<U>[]
    : T extends object
      ? { [K in keyof T]?: Init<T[K]> | undefined }
      : T;

export type Kind = "bool" | "int32" | "uint32" | "int64" | "bigint" | "biguint" | "double" | "string" | "bytes" | "enum" | "message" | "map";

export interface Field {
  no: number;
  name: string;
  kind: Kind;
  repeated: boolean;
  /** Sent even when it is 0, because not being there says something else. */
  presence: boolean;
  of?: () => Message<any> | Enum;
}

/** `[number, name, kind, flags, of]`, flags: `r` repeated, `p` presence. */
export type Row = [no: number, name: string, kind: Kind, flags?: string, of?: () => Message<any> | Enum];

export class Enum {
  readonly numbers = new Map<string, number>();
  readonly names: string[] = [];

  constructor(values: Record<string, number>) {
    for (const [name, number] of Object.entries(values)) {
      this.numbers.set(name, number);
      this.names[number] = name;
    }
  }

  /** A value that a newer server has is its number, as text. */
  name(number: number): string {
    return this.names[number] ?? String(number);
  }

  number(value: unknown): number {
    const number = this.numbers.get(value as string);

    if (number !== undefined) return number;
    if (typeof value === "number" && Number.isInteger(value)) return value;
    if (typeof value === "string" && /^\d{1,9}$/.test(value)) return Number(value);
    throw new FieldError("", `${String(value)} is not one of ${[...this.numbers.keys()].join(", ")}`);
  }
}

const writer = new Writer();
const WIRE: Record<Kind, number> = {
  bool: 0, int32: 0, uint32: 0, int64: 0, bigint: 0, biguint: 0, enum: 0, double: 1, string: 2, bytes: 2, message: 2, map: 2,
};

function wholeNumber(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "bigint" && value >= -9007199254740991n && value <= 9007199254740991n) return Number(value);
  throw new FieldError("", `${typeof value === "string" ? JSON.stringify(value) : String(value)} is not a whole number up to 2^53-1`);
}

function writeScalar(field: Field, value: any): void {
  switch (field.kind) {
    case "bool":
      if (typeof value !== "boolean") throw new FieldError("", `${String(value)} is not true or false`);
      return writer.varint(value ? 1 : 0);
    case "int32":
    case "uint32":
    case "int64":
      return writer.integer(wholeNumber(value));
    case "bigint":
    case "biguint":
      return writer.bigVarint(typeof value === "bigint" ? value : BigInt(wholeNumber(value)));
    case "enum":
      return writer.integer((field.of!() as Enum).number(value));
    case "double":
      return writer.double(value);
    case "bytes":
      return writer.raw(value);
    default:
      if (typeof value !== "string") throw new FieldError("", `${String(value)} is not a text`);
      return writer.text(value);
  }
}

function writeOne(field: Field, value: any): void {
  writer.varint(field.no * 8 + WIRE[field.kind]);
  if (field.kind !== "message") return writeScalar(field, value);
  const start = writer.begin();
  (field.of!() as Message<any>).write(value);
  writer.end(start);
}

function writeMap(field: Field, value: Record<string, string>): void {
  for (const [key, text] of Object.entries(value)) {
    writer.varint(field.no * 8 + 2);
    const start = writer.begin();
    writer.varint(10);
    writer.text(key);
    writer.varint(18);
    writer.text(text);
    writer.end(start);
  }
}

function readMap(reader: Reader, into: Record<string, string>): void {
  const end = reader.nested();
  let key = "";
  let value = "";

  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) key = reader.text();
    else if (tag === 18) value = reader.text();
    else reader.skip(tag & 7);
  }
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

function readScalar(field: Field, reader: Reader): unknown {
  switch (field.kind) {
    case "bool": return reader.bool();
    case "int32": return reader.int32();
    case "uint32": return reader.uint32();
    case "int64": return reader.int64();
    case "bigint": return reader.bigInt64();
    case "biguint": return reader.bigUint64();
    case "double": return reader.double();
    case "bytes": return reader.raw();
    case "enum": return (field.of!() as Enum).name(reader.int32());
    case "message": return (field.of!() as Message<any>).read(reader, reader.nested());
    default: return reader.text();
  }
}

const ZERO: Partial<Record<Kind, unknown>> = {
  bool: false, int32: 0, uint32: 0, int64: 0, bigint: 0n, biguint: 0n, double: 0, string: "", bytes: new Uint8Array(0),
};

function inField(error: unknown, name: string): unknown {
  if (error instanceof FieldError) error.field = error.field ? `${name}${error.field.startsWith("[") ? "" : "."}${error.field}` : name;
  return error;
}

export class Message<T extends object> {
  readonly name: string;
  readonly fields: Field[];
  private readonly byName = new Map<string, Field>();
  private readonly byNumber: Field[] = [];
  private zero: Record<string, unknown> | undefined;
  private readonly lists: string[] = [];
  private readonly maps: string[] = [];

  constructor(name: string, rows: Row[]) {
    this.name = name;
    this.fields = rows.map(([no, field, kind, flags = "", of]) => ({
      no, name: field, kind, repeated: flags.includes("r"), presence: flags.includes("p"), of,
    }));
    for (const field of this.fields) {
      this.byName.set(field.name, field);
      this.byNumber[field.no] = field;
      if (field.repeated) this.lists.push(field.name);
      if (field.kind === "map") this.maps.push(field.name);
    }
  }

  field(name: string): Field | undefined {
    return this.byName.get(name);
  }

  encode(value: Init<T>): Buffer {
    const start = writer.pos;

    try {
      this.write(value as Record<string, unknown>);
      return writer.take(start);
    } finally {
      writer.pos = start;
    }
  }

  decode(bytes: Uint8Array): T {
    const reader = new Reader(bytes);

    return this.read(reader, reader.end);
  }

  /** @internal */
  write(value: Record<string, unknown>): void {
    if (typeof value !== "object" || value === null) throw new FieldError("", `${String(value)} is not an object`);
    for (const key in value) {
      const item = value[key];
      if (item === undefined || item === null) continue;
      const field = this.byName.get(key);
      try {
        if (!field) throw new FieldError("", this.unknown(key));
        this.writeField(field, item);
      } catch (error) {
        throw inField(error, key);
      }
    }
  }

  private unknown(key: string): string {
    const camel = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

    return `${this.name} has no such field${this.byName.has(camel) ? `: did you mean '${camel}'?` : ""}`;
  }

  private writeField(field: Field, value: any): void {
    if (field.kind === "map") return writeMap(field, value);
    if (!field.repeated) {
      if (field.presence || (value !== 0 && value !== "" && value !== false && value !== 0n)) writeOne(field, value);
      return;
    }
    if (!Array.isArray(value)) throw new FieldError("", "is not an array");
    for (let i = 0; i < value.length; i++) {
      try {
        writeOne(field, value[i]);
      } catch (error) {
        throw inField(error, `[${i}]`);
      }
    }
  }

  /** An object in which every field has its default. */
  create(): T {
    const result = { ...(this.zero ??= this.makeZero()) };

    for (const list of this.lists) result[list] = [];
    for (const map of this.maps) result[map] = {};
    return result as T;
  }

  /* V8 keeps an object from JSON.parse in the fast form, which copies have too; one that is filled name by name it does not. */
  private makeZero(): Record<string, unknown> {
    const zero = JSON.parse(JSON.stringify(Object.fromEntries(this.fields.map((field) => [field.name, null])))) as Record<string, unknown>;

    for (const field of this.fields) {
      const unset = field.repeated || field.presence || field.kind === "message" || field.kind === "map";
      zero[field.name] = unset ? undefined : field.kind === "enum" ? (field.of!() as Enum).name(0) : ZERO[field.kind];
    }
    return zero;
  }

  /** @internal */
  read(reader: Reader, end: number): T {
    const result = this.create() as Record<string, any>;
    const outer = reader.end;

    reader.end = end;
    while (reader.pos < end) {
      const tag = reader.uint32();
      const field = this.byNumber[tag >>> 3];
      if (!field) {
        reader.skip(tag & 7);
        continue;
      }
      try {
        this.readField(field, tag & 7, reader, result);
      } catch (error) {
        throw inField(error, field.name);
      }
    }
    reader.end = outer;
    return result as T;
  }

  private readField(field: Field, wireType: number, reader: Reader, result: Record<string, any>): void {
    if (field.kind === "map") return readMap(reader, result[field.name]);
    if (wireType === WIRE[field.kind]) {
      const value = readScalar(field, reader);
      if (field.repeated) result[field.name].push(value);
      else result[field.name] = value;
    } else if (field.repeated && wireType === 2) {
      const end = reader.nested();
      while (reader.pos < end) result[field.name].push(readScalar(field, reader));
    } else {
      reader.skip(wireType);
    }
  }
}
