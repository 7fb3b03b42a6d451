import fc from "fast-check";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checksum, crcTable } from "../../src/crc.ts";
import { maskedChecksum, scalarRecord, versionRecord } from "../../src/tensorboard/event-record.ts";
import { temporaryFolder } from "../run-kit.ts";
import { readEventFile } from "./read-events.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("cyclic redundancy checks", () => {
  const crc32c = crcTable(0x82f63b78);

  it("gives the check value that is published for each polynomial", () => {
    expect(checksum(crc32c, ascii("123456789"))).toBe(0xe3069283);
    expect(checksum(crcTable(0xedb88320), ascii("123456789"))).toBe(0xcbf43926);
  });

  it("gives the values of RFC 3720, B.4", () => {
    expect(checksum(crc32c, new Uint8Array(32))).toBe(0x8a9136aa);
    expect(checksum(crc32c, new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(
      checksum(
        crc32c,
        Uint8Array.from({ length: 32 }, (_, i) => i),
      ),
    ).toBe(0x46dd794e);
  });
});

describe("records of event files", () => {
  it("masks the check of the length as TensorFlow does", () => {
    // The first twelve bytes of every event file that TensorFlow 2 began with a version of 24 bytes.
    const length = Uint8Array.of(24, 0, 0, 0, 0, 0, 0, 0);
    expect(maskedChecksum(length).toString(16)).toBe("224b7fa3");
    expect(Buffer.from(versionRecord(0).subarray(0, 12)).toString("hex")).toBe(
      "1800000000000000a37f4b22",
    );
  });

  it("writes the fields of the messages in their order", () => {
    const data = Buffer.from(scalarRecord("ab", 300, 1.5, 2)).subarray(12, -4);
    expect(data.toString("hex")).toBe(
      [
        "09",
        "0000000000000040",
        "10",
        "ac02",
        "2a0b",
        "0a09",
        "0a02",
        "6162",
        "15",
        "0000c03f",
      ].join(""),
    );
  });

  it("reads back what was written: any tag, epoch and value", () => {
    const path = join(temporaryFolder(), "events");
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200, unit: "grapheme" }),
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.float(),
        fc.double({ min: 0, max: 4e9, noNaN: true }),
        (tag, step, value, wallTime) => {
          const records = [versionRecord(wallTime), scalarRecord(tag, step, value, wallTime)];
          writeFileSync(path, Buffer.concat(records));
          expect(readEventFile(path)).toEqual([{ tag, step, value, wallTime }]);
        },
      ),
    );
  });
});
