/**
 * Messages of protobuf, described by tables that the build makes from the .proto files; the wire format is read and written by
 * @bufbuild/protobuf.
 *
 * What its own messages would not do: int64 is a `number` where the API promises at most 2^53-1, and a `bigint` where it does not
 * (a lease's fence, sums in pico-USD), a misspelt field is refused instead of dropped, and an enum is its name.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { FieldError } from "./field_error.js";

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

const { Varint, Bit64, LengthDelimited } = WireType;
const WIRE: Record<Kind, WireType> = {
  bool: Varint, int32: Varint, uint32: Varint, int64: Varint, bigint: Varint, biguint: Varint, enum: Varint, double: Bit64,
  string: LengthDelimited, bytes: LengthDelimited, message: LengthDelimited, map: LengthDelimited,
};
const CUT_SHORT = "the message ends in the middle of a field";

function wholeNumber(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "bigint" && value >= -9007199254740991n && value <= 9007199254740991n) return Number(value);
  throw new FieldError("", `${typeof value === "string" ? JSON.stringify(value) : String(value)} is not a whole number up to 2^53-1`);
}

function writeScalar(writer: BinaryWriter, field: Field, value: any): void {
  switch (field.kind) {
    case "bool":
      if (typeof value !== "boolean") throw new FieldError("", `${String(value)} is not true or false`);
      writer.bool(value);
      break;
    case "int32":
    case "uint32":
    case "int64":
      writer.int64(wholeNumber(value));
      break;
    case "bigint":
      writer.int64(typeof value === "bigint" ? value : wholeNumber(value));
      break;
    case "biguint":
      writer.uint64(typeof value === "bigint" ? value : wholeNumber(value));
      break;
    case "enum":
      writer.int32((field.of!() as Enum).number(value));
      break;
    case "double":
      writer.double(value);
      break;
    case "bytes":
      writer.bytes(value);
      break;
    default:
      if (typeof value !== "string") throw new FieldError("", `${String(value)} is not a text`);
      writer.string(value);
  }
}

function writeOne(writer: BinaryWriter, field: Field, value: any): void {
  writer.tag(field.no, WIRE[field.kind]);
  if (field.kind !== "message") return writeScalar(writer, field, value);
  writer.fork();
  (field.of!() as Message<any>).write(writer, value);
  writer.join();
}

function writeMap(writer: BinaryWriter, field: Field, value: Record<string, string>): void {
  for (const [key, text] of Object.entries(value))
    writer.tag(field.no, LengthDelimited).fork().tag(1, LengthDelimited).string(key).tag(2, LengthDelimited).string(text).join();
}

/** Where the nested message that begins here ends. */
function nested(reader: BinaryReader, outer: number): number {
  const size = reader.uint32();

  if (size > outer - reader.pos) throw new FieldError("", CUT_SHORT);
  return reader.pos + size;
}

function readMap(reader: BinaryReader, outer: number, into: Record<string, string>): void {
  const end = nested(reader, outer);
  let key = "";
  let value = "";

  while (reader.pos < end) {
    const [no, wireType] = reader.tag();
    if (no === 1 && wireType === LengthDelimited) key = reader.string();
    else if (no === 2 && wireType === LengthDelimited) value = reader.string();
    else reader.skip(wireType, no);
  }
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

function exact(value: bigint | string): number {
  const number = Number(value);

  if (!Number.isSafeInteger(number)) throw new FieldError("", "the number is beyond 2^53");
  return number;
}

function readScalar(field: Field, reader: BinaryReader, outer: number): unknown {
  switch (field.kind) {
    case "bool": return reader.bool();
    case "int32": return reader.int32();
    case "uint32": return reader.uint32();
    case "int64": return exact(reader.int64());
    case "bigint": return BigInt(reader.int64());
    case "biguint": return BigInt(reader.uint64());
    case "double": return reader.double();
    case "bytes": return Buffer.from(reader.bytes());
    case "enum": return (field.of!() as Enum).name(reader.int32());
    case "message": return (field.of!() as Message<any>).read(reader, nested(reader, outer));
    default: return reader.string();
  }
}

const ZERO: Partial<Record<Kind, unknown>> = {
  bool: false, int32: 0, uint32: 0, int64: 0, bigint: 0n, biguint: 0n, double: 0, string: "", bytes: new Uint8Array(0),
};

function inField(error: unknown, name: string): unknown {
  if (error instanceof FieldError && name) error.field = error.field ? `${name}${error.field.startsWith("[") ? "" : "."}${error.field}` : name;
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
    const writer = new BinaryWriter();

    this.write(writer, value as Record<string, unknown>);
    const bytes = writer.finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  decode(bytes: Uint8Array): T {
    return this.read(new BinaryReader(bytes), bytes.length);
  }

  /** @internal */
  write(writer: BinaryWriter, value: Record<string, unknown>): void {
    if (typeof value !== "object" || value === null) throw new FieldError("", `${String(value)} is not an object`);
    for (const key in value) {
      const item = value[key];
      if (item === undefined || item === null) continue;
      const field = this.byName.get(key);
      try {
        if (!field) throw new FieldError("", this.unknown(key));
        this.writeField(writer, field, item);
      } catch (error) {
        throw inField(error, key);
      }
    }
  }

  private unknown(key: string): string {
    const camel = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

    return `${this.name} has no such field${this.byName.has(camel) ? `: did you mean '${camel}'?` : ""}`;
  }

  private writeField(writer: BinaryWriter, field: Field, value: any): void {
    if (field.kind === "map") return writeMap(writer, field, value);
    if (!field.repeated) {
      if (field.presence || (value !== 0 && value !== "" && value !== false && value !== 0n)) writeOne(writer, field, value);
      return;
    }
    if (!Array.isArray(value)) throw new FieldError("", "is not an array");
    for (let i = 0; i < value.length; i++) {
      try {
        writeOne(writer, field, value[i]);
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
  read(reader: BinaryReader, end: number): T {
    const result = this.create() as Record<string, any>;

    while (reader.pos < end) {
      let name = "";
      try {
        const [no, wireType] = reader.tag();
        const field = this.byNumber[no];
        name = field?.name ?? "";
        if (field) this.readField(field, wireType, reader, end, result);
        else reader.skip(wireType, no);
        if (reader.pos > end) throw new FieldError("", CUT_SHORT);
      } catch (error) {
        throw inField(error instanceof FieldError ? error : new FieldError("", (error as Error).message), name);
      }
    }
    return result as T;
  }

  private readField(field: Field, wireType: WireType, reader: BinaryReader, outer: number, result: Record<string, any>): void {
    if (field.kind === "map" && wireType === LengthDelimited) return readMap(reader, outer, result[field.name]);
    if (wireType === WIRE[field.kind]) {
      const value = readScalar(field, reader, outer);
      if (field.repeated) result[field.name].push(value);
      else result[field.name] = value;
    } else if (field.repeated && wireType === LengthDelimited) {
      const end = nested(reader, outer);
      while (reader.pos < end) result[field.name].push(readScalar(field, reader, end));
    } else {
      reader.skip(wireType, field.no);
    }
  }
}
