import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { maskedChecksum } from "../../src/tensorboard/event-record.ts";

export interface ReadEvent {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
  readonly wallTime: number;
}

/** The scalars of an event file, read by the layout that its format prescribes; checks every checksum. */
export function readEventFile(path: string): readonly ReadEvent[] {
  const bytes = readFileSync(path);
  const events: ReadEvent[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(offset));
    const data = bytes.subarray(offset + 12, offset + 12 + length);
    if (bytes.readUInt32LE(offset + 8) !== maskedChecksum(bytes.subarray(offset, offset + 8)))
      throw new Error(`${path}: wrong check of the length at ${offset}`);
    if (bytes.readUInt32LE(offset + 12 + length) !== maskedChecksum(data))
      throw new Error(`${path}: wrong check of the data at ${offset}`);
    offset += length + 16;
    const event = readFields(data);
    const wallTime = (event.get(1) as Buffer).readDoubleLE();
    if (!event.has(5)) {
      if ((event.get(3) as Buffer).toString() !== "brain.Event:2") throw new Error("no version");
      continue;
    }
    const scalar = readFields(readFields(event.get(5) as Buffer).get(1) as Buffer);
    events.push({
      tag: (scalar.get(1) as Buffer).toString(),
      value: (scalar.get(2) as Buffer).readFloatLE(),
      step: (event.get(2) as number | undefined) ?? 0,
      wallTime,
    });
  }
  return events;
}

/** The only event file of every metric, by the name of its folder. */
export function readEventFolder(folder: string): ReadonlyMap<string, readonly ReadEvent[]> {
  return new Map(
    readdirSync(folder).map((name) => {
      const files = readdirSync(join(folder, name));
      if (files.length !== 1 || !files[0]!.startsWith("events.out.tfevents."))
        throw new Error(`${name} holds ${files.join(", ")}`);
      return [name, readEventFile(join(folder, name, files[0]!))];
    }),
  );
}

function readFields(data: Buffer): ReadonlyMap<number, Buffer | number> {
  const fields = new Map<number, Buffer | number>();
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = data[offset++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => data.subarray(offset, (offset += length));
  while (offset < data.length) {
    const key = varint();
    const type = key & 7;
    fields.set(
      key >> 3,
      type === 0
        ? varint()
        : take({ 1: 8, 2: -1, 5: 4 }[type]! < 0 ? varint() : { 1: 8, 5: 4 }[type]!),
    );
  }
  return fields;
}
