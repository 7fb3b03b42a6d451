import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ArrayFile,
  ArrayFileError,
  contentHash,
  decodeNpz,
  decodeSafetensors,
  encodeNpz,
  encodeSafetensors,
  openSafetensors,
  readNpz,
  readSafetensors,
  writeNpz,
  writeSafetensors,
  writeSafetensorsStream,
} from "../src/index.ts";
import { arrayFiles, entriesOf } from "./sample-files.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const temporary = useTemporaryFolder();

const formats = {
  safetensors: { encode: encodeSafetensors, decode: decodeSafetensors, isChecked: false },
  /** Zip has a checksum for each entry and says twice what it is called. */
  npz: { encode: encodeNpz, decode: decodeNpz, isChecked: true },
};

describe.each(Object.entries(formats))(
  "any file as %s",
  (_format, { encode, decode, isChecked }) => {
    it("is written the same again when it was read", () => {
      fc.assert(
        fc.property(arrayFiles, (file) => {
          const bytes = encode(file);
          expect(encode(decode(bytes, "f"))).toEqual(bytes);
        }),
      );
    });

    it(`with one byte changed is refused, or holds the same arrays${isChecked ? "" : " or has another content hash"}`, () => {
      const cases = arrayFiles.chain((file) => {
        const bytes = encode(file);
        return fc.record({
          file: fc.constant(file),
          bytes: fc.constant(bytes),
          at: fc.nat({ max: bytes.length - 1 }),
          flip: fc.integer({ min: 1, max: 255 }),
        });
      });
      fc.assert(
        fc.property(cases, ({ file, bytes, at, flip }) => {
          const changed = bytes.slice();
          changed[at]! ^= flip;
          let read: ArrayFile;
          try {
            read = decode(changed, "f");
          } catch (error) {
            expect(error).toBeInstanceOf(ArrayFileError);
            return;
          }
          const arrays = ({ arrays }: ArrayFile) => entriesOf({ arrays, metadata: {} });
          if (isChecked || contentHash(read) === contentHash(file))
            expect(arrays(read)).toEqual(arrays(file));
        }),
        { numRuns: 1500 },
      );
    });
  },
);

describe("the content hash", () => {
  it("is that of the arrays, whatever their order, the metadata and the format", () => {
    fc.assert(
      fc.property(arrayFiles, (file) => {
        const hash = contentHash(file);
        const reversed = Object.fromEntries(Object.entries(file.arrays).reverse());
        expect(contentHash({ arrays: reversed })).toBe(hash);
        expect(contentHash(decodeSafetensors(encodeSafetensors(file), "f"))).toBe(hash);
        expect(contentHash(decodeNpz(encodeNpz(file), "f"))).toBe(hash);
      }),
    );
  });

  it("changes with any element, shape, name, and any array more or less", () => {
    const filled = arrayFiles.filter(({ arrays }) =>
      Object.values(arrays).some(({ data }) => data.length > 0),
    );
    fc.assert(
      fc.property(filled, fc.nat(), (file, place) => {
        const names = Object.keys(file.arrays).filter((name) => file.arrays[name]!.data.length > 0);
        const name = names[place % names.length]!;
        const { shape, data } = file.arrays[name]!;
        const other = data.slice();
        const at = place % data.length;
        other[at] = typeof other[at] === "bigint" ? other[at]! ^ 1n : Number(other[at]) + 1;
        const changes: Record<string, ArrayFile["arrays"][string] | undefined>[] = [
          { [name]: { shape, data: other } },
          { [name]: { shape: [...shape, 1], data } },
          { [name]: undefined, [`${name}'`]: file.arrays[name] },
          { [name]: undefined },
          { [`${name}'`]: { shape: [0], data: new Float32Array(0) } },
        ];
        const hashes = changes.map((change) => {
          const entries = [...Object.entries(file.arrays), ...Object.entries(change)];
          const arrays = Object.fromEntries(
            [...new Map(entries)].filter(([, array]) => array !== undefined),
          ) as ArrayFile["arrays"];
          return contentHash({ arrays });
        });
        const seen = new Set([contentHash(file), ...hashes]);
        // An array called name' may be there already, and then stays as it was.
        const isTaken = Object.hasOwn(file.arrays, `${name}'`);
        if (!isTaken) expect(seen.size).toBe(hashes.length + 1);
        else expect(seen.size).toBeGreaterThanOrEqual(4);
      }),
    );
  });
});

describe("on disk", () => {
  it("any file comes back from both formats, and row by row from an open one", async () => {
    await fc.assert(
      fc.asyncProperty(arrayFiles, fc.nat(), async (file, place) => {
        const [st, npz, stream] = ["a.safetensors", "a.npz", "b.safetensors"].map((name) =>
          temporary(name),
        ) as [string, string, string];
        await writeSafetensors(st, file, { overwrite: true });
        await writeNpz(npz, file, { overwrite: true });
        const expected = entriesOf(file);
        expect(entriesOf(await readSafetensors(st))).toEqual(expected);
        expect(entriesOf(await readNpz(npz))).toEqual(expected);
        const opened = await openSafetensors(st);
        expect(await opened.contentHash()).toBe(contentHash(file));
        for (const [name, { shape, data }] of Object.entries(file.arrays)) {
          const [rows] = shape;
          if (rows === undefined) continue;
          const perRow = rows === 0 ? 0 : data.length / rows;
          const first = place % (rows + 1);
          const read = await opened.readRows(name, first, rows - first);
          expect(read).toEqual(data.slice(first * perRow));
        }
        await writeSafetensorsStream(
          stream,
          opened.entries.map(({ name, dtype, shape }) => ({
            name,
            dtype,
            shape,
            pieces: () => {
              const { data } = file.arrays[name]!;
              return [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
            },
          })),
          () => file.metadata,
          { overwrite: true },
        );
        await opened.close();
        expect(entriesOf(await readSafetensors(stream))).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});
