import { checksum, crcTable } from "../crc.ts";

const table = crcTable(0x82f63b78);

/**
 * The masked CRC-32C of TFRecord files: rotated and shifted, so that checks of data that hold checks stay
 * meaningful.
 */
export function maskedChecksum(bytes: Uint8Array): number {
  const crc = checksum(table, bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The first event of every file; TensorBoard takes a file without it for one of an older format. */
export function versionRecord(wallTime: number): Uint8Array {
  return record(new Message().double(1, wallTime).text(3, "brain.Event:2").bytes());
}

/**
 * A value of a metric as a record of an event file: an `Event` message (wall_time, step, summary with one
 * simple_value) in TFRecord framing.
 *
 * @param wallTime seconds since 1970.
 * @param step the epoch, 0 or more.
 * @param value is stored in single precision, as TensorBoard shows it.
 */
export function scalarRecord(
  tag: string,
  step: number,
  value: number,
  wallTime: number,
): Uint8Array {
  const scalar = new Message().text(1, tag).float(2, value);
  const summary = new Message().embedded(1, scalar);
  return record(new Message().double(1, wallTime).integer(2, step).embedded(5, summary).bytes());
}

/** Length, check of the length, data, check of the data; all numbers little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedChecksum(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedChecksum(data), true);
  return bytes;
}

const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const FIXED_32 = 5;

/** A message in the wire format of protocol buffers, field by field. */
class Message {
  readonly #parts: number[] = [];

  double(field: number, value: number): this {
    return this.#key(field, FIXED_64).#fixed(8, (view) => view.setFloat64(0, value, true));
  }

  float(field: number, value: number): this {
    return this.#key(field, FIXED_32).#fixed(4, (view) => view.setFloat32(0, value, true));
  }

  /** 0 is the default of the format and is left out. */
  integer(field: number, value: number): this {
    return value === 0 ? this : this.#key(field, VARINT).#varint(value);
  }

  text(field: number, value: string): this {
    return this.#delimited(field, new TextEncoder().encode(value));
  }

  embedded(field: number, message: Message): this {
    return this.#delimited(field, message.#parts);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }

  #delimited(field: number, bytes: ArrayLike<number> & Iterable<number>): this {
    this.#key(field, DELIMITED).#varint(bytes.length);
    this.#parts.push(...bytes);
    return this;
  }

  #key(field: number, type: number): this {
    return this.#varint(field * 8 + type);
  }

  #varint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#parts.push((rest % 0x80) + 0x80);
    this.#parts.push(rest);
    return this;
  }

  #fixed(length: number, write: (view: DataView) => void): this {
    const view = new DataView(new ArrayBuffer(length));
    write(view);
    this.#parts.push(...new Uint8Array(view.buffer));
    return this;
  }
}
