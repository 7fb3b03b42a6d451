import { crc32 } from "../src/crc32.ts";

/** An entry whose declared values may contradict its data. */
export interface BuiltEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly packed?: Uint8Array;
  readonly size?: number;
  readonly crc?: number;
  readonly flags?: number;
  readonly localHeader?: number;
  readonly zip64?: boolean;
  readonly omitData?: boolean;
}

export interface BuiltArchive {
  readonly comment?: string;
  readonly zip64?: boolean;
  readonly entries?: number;
  readonly directoryOffset?: number;
}

/** A zip archive written field by field, so that tests can make wrong ones. */
export function zipOf(entries: readonly BuiltEntry[], archive: BuiltArchive = {}): Uint8Array {
  const body: number[] = [];
  const directory: number[] = [];
  for (const entry of entries) {
    const name = [...new TextEncoder().encode(entry.name)];
    const packed = entry.packed ?? entry.data;
    const header = entry.localHeader ?? body.length;
    const size = entry.size ?? entry.data.length;
    const common = [
      ...u16(entry.flags ?? 0),
      ...u16(entry.method ?? 0),
      ...u32(0),
      ...u32(entry.crc ?? crc32(entry.data)),
    ];
    if (entry.omitData !== true) {
      body.push(
        ...u32(0x04034b50),
        ...u16(20),
        ...common,
        ...u32(packed.length),
        ...u32(size),
        ...u16(name.length),
        ...u16(0),
        ...name,
      );
      for (const byte of packed) body.push(byte);
    }
    const extra = entry.zip64
      ? [...u16(1), ...u16(24), ...u64(size), ...u64(packed.length), ...u64(header)]
      : [];
    const wide = (value: number) => u32(entry.zip64 ? 0xffffffff : value);
    directory.push(
      ...u32(0x02014b50),
      ...u16(20),
      ...u16(20),
      ...common,
      ...wide(packed.length),
      ...wide(size),
      ...u16(name.length),
      ...u16(extra.length),
      ...u16(0),
      ...u16(0),
      ...u16(0),
      ...u32(0),
      ...wide(header),
      ...name,
      ...extra,
    );
  }
  const offset = archive.directoryOffset ?? body.length;
  const count = archive.entries ?? entries.length;
  const comment = [...new TextEncoder().encode(archive.comment ?? "")];
  const zip64End = body.length + directory.length;
  const zip64 = archive.zip64
    ? [
        ...u32(0x06064b50),
        ...u64(44),
        ...u16(45),
        ...u16(45),
        ...u32(0),
        ...u32(0),
        ...u64(count),
        ...u64(count),
        ...u64(directory.length),
        ...u64(offset),
        ...u32(0x07064b50),
        ...u32(0),
        ...u64(zip64End),
        ...u32(1),
      ]
    : [];
  const end = [
    ...u32(0x06054b50),
    ...u16(0),
    ...u16(0),
    ...u16(count),
    ...u16(count),
    ...u32(directory.length),
    ...u32(offset),
    ...u16(comment.length),
    ...comment,
  ];
  return Uint8Array.from([...body, ...directory, ...zip64, ...end]);
}

function u16(value: number): number[] {
  return [value & 255, (value >>> 8) & 255];
}

function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

function u64(value: number): number[] {
  return [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];
}
