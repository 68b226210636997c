/** Writes and reads the parts of protobuf's wire format. Numbers are exact, or refused: nothing is rounded or wrapped. */

export class FieldError extends Error {
  /** The path of the field, such as `check.inputTokens`. */
  field: string;

  constructor(field: string, message: string) {
    super(message);
    this.name = "FieldError";
    this.field = field;
  }
}

const TWO32 = 4294967296;

/** Grows as it is written to. One instance serves all messages, because encoding never waits. */
export class Writer {
  private bytes = Buffer.allocUnsafe(16384);
  pos = 0;

  private room(size: number): void {
    if (this.pos + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.pos + size));
    this.bytes.copy(larger, 0, 0, this.pos);
    this.bytes = larger;
  }

  /** What was written since `start`, as a copy. */
  take(start: number): Buffer {
    const result = Buffer.from(this.bytes.subarray(start, this.pos));
    this.pos = start;
    return result;
  }

  /** A whole number from 0 to 2^53-1. */
  varint(value: number): void {
    this.room(10);
    while (value >= 0x80000000) {
      this.bytes[this.pos++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    while (value > 127) {
      this.bytes[this.pos++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.bytes[this.pos++] = value;
  }

  bigVarint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    this.room(10);
    while (rest > 127n) {
      this.bytes[this.pos++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.bytes[this.pos++] = Number(rest);
  }

  integer(value: number): void {
    if (value >= 0) this.varint(value);
    else this.bigVarint(BigInt(value));
  }

  double(value: number): void {
    this.room(8);
    this.bytes.writeDoubleLE(value, this.pos);
    this.pos += 8;
  }

  raw(value: Uint8Array): void {
    this.varint(value.length);
    this.room(value.length);
    this.bytes.set(value, this.pos);
    this.pos += value.length;
  }

  text(value: string): void {
    const start = this.begin();

    this.room(value.length * 3);
    if (value.length < 40) {
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i);

        if (code > 127) {
          this.pos = start + 1 + this.bytes.write(value, start + 1, "utf8");
          break;
        }
        this.bytes[this.pos++] = code;
      }
    } else {
      this.pos += this.bytes.write(value, this.pos, "utf8");
    }
    this.end(start);
  }

  /** Leaves a byte for the length of what follows, which `end` fills in. */
  begin(): number {
    this.room(1);
    return this.pos++;
  }

  end(start: number): void {
    const size = this.pos - start - 1;

    if (size < 128) {
      this.bytes[start] = size;
      return;
    }
    let extra = 0;
    for (let rest = size; rest > 127; rest >>>= 7) extra++;
    this.room(extra);
    this.bytes.copyWithin(start + 1 + extra, start + 1, this.pos);
    this.pos = start;
    this.varint(size);
    this.pos += size;
  }
}

export class Reader {
  readonly bytes: Buffer;
  pos: number;
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = 0;
    this.end = bytes.length;
  }

  private next(): number {
    if (this.pos >= this.end) throw new FieldError("", "the message ends in the middle of a field");
    return this.bytes[this.pos++] as number;
  }

  /** The low 32 bits; the high ones are in `high`. */
  private low(): number {
    let low = 0;

    this.high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.next();
      const bits = byte & 127;

      if (shift < 28) {
        low |= bits << shift;
      } else if (shift === 28) {
        low |= bits << 28;
        this.high = bits >>> 4;
      } else if (shift < 63) {
        this.high |= bits << (shift - 32);
      } else {
        this.high |= (bits & 1) << 31;
      }
      if (byte < 128) return low >>> 0;
    }
    throw new FieldError("", "a number has more than 10 bytes");
  }
  private high = 0;

  uint32(): number {
    return this.low();
  }

  /** int32 and enums. */
  int32(): number {
    return this.low() | 0;
  }

  bool(): boolean {
    const low = this.low();

    return low !== 0 || this.high !== 0;
  }

  int64(): number {
    const low = this.low();
    const value = (this.high | 0) * TWO32 + low;

    if (!Number.isSafeInteger(value)) throw new FieldError("", "the number is beyond 2^53");
    return value;
  }

  bigInt64(): bigint {
    const low = this.low();

    return (BigInt(this.high | 0) << 32n) | BigInt(low);
  }

  bigUint64(): bigint {
    const low = this.low();

    return (BigInt(this.high >>> 0) << 32n) | BigInt(low);
  }

  double(): number {
    const at = this.pos;

    this.advance(8);
    return this.bytes.readDoubleLE(at);
  }

  private advance(size: number): void {
    if (size > this.end - this.pos) throw new FieldError("", "the message ends in the middle of a field");
    this.pos += size;
  }

  text(): string {
    const size = this.low();
    const at = this.pos;

    this.advance(size);
    return size === 0 ? "" : this.bytes.toString("utf8", at, this.pos);
  }

  raw(): Buffer {
    const size = this.low();
    const at = this.pos;

    this.advance(size);
    return Buffer.from(this.bytes.subarray(at, this.pos));
  }

  /** Where the nested message that begins here ends. */
  nested(): number {
    const size = this.low();

    if (size > this.end - this.pos) throw new FieldError("", "the message ends in the middle of a field");
    return this.pos + size;
  }

  skip(wireType: number): void {
    if (wireType === 0) this.low();
    else if (wireType === 1) this.advance(8);
    else if (wireType === 2) this.advance(this.low());
    else if (wireType === 5) this.advance(4);
    else throw new FieldError("", `the wire type ${wireType} is unknown`);
  }
}
