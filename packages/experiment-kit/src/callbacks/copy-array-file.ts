import type { ArrayFile } from "@implicit-rank/array-files";

/** A copy that later training does not change. */
export function copyArrayFile(file: ArrayFile): ArrayFile {
  const arrays = Object.fromEntries(
    Object.entries(file.arrays).map(([name, { shape, data }]) => [
      name,
      { shape: [...shape], data: data.slice() },
    ]),
  );
  return { arrays, metadata: { ...file.metadata } };
}
