import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeNpyText } from "@implicit-rank/array-files";
import { DatasetError } from "../error.ts";
import { readSource } from "../image-source/source-file.ts";
import { expectedTable, METADATA_FILE } from "./raw-folder.ts";

/** The raw images of one path length, ours or the Python scripts'. */
export interface RawTable {
  readonly folder: string;
  readonly pathLength: number;
  /** Image files, by number. */
  readonly files: readonly string[];
  readonly labels: Uint8Array;
}

/**
 * The folders of raw images at a path: itself if it has `metadata.npy`, else those in it.
 * @throws DatasetError (exit code 2) if there are none
 */
export async function findRawFolders(path: string): Promise<string[]> {
  if (existsSync(join(path, METADATA_FILE))) return [path];
  const names = await readdir(path).catch(() => {
    throw new DatasetError(
      `--dataset_path: ${path} is no folder; give one that "data pathfinder-raw" made`,
      2,
    );
  });
  const folders = names
    .map((name) => join(path, name))
    .filter((folder) => existsSync(join(folder, METADATA_FILE)));
  if (folders.length === 0) {
    throw new DatasetError(
      `--dataset_path: ${path} has no ${METADATA_FILE}; run "data pathfinder-raw" (again, if it was interrupted)`,
      2,
    );
  }
  return folders.sort();
}

/** Columns of `metadata.npy`. */
const [SUBFOLDER, FILE, LABEL, PATH_LENGTH, COLUMNS] = [0, 1, 3, 5, 11];

/** Reads `metadata.npy`. Throws ArrayFileError or DatasetError (exit code 1) if it is damaged. */
export async function readRawTable(folder: string): Promise<RawTable> {
  const source = join(folder, METADATA_FILE);
  const rows = decodeNpyText(await readSource(source), source);
  const damaged = (field: string, problem: string) =>
    new DatasetError(`${source}: ${field}: ${problem}; make the images again`, 1);
  if (rows.length === 0 || rows[0]!.length !== COLUMNS) {
    throw damaged("table", `must have rows of ${COLUMNS} columns`);
  }
  const pathLength = Number(rows[0]![PATH_LENGTH]);
  const labels = Uint8Array.from(rows, (row, i) => {
    if (row[LABEL] !== "0" && row[LABEL] !== "1") throw damaged(`row ${i}`, "label must be 0 or 1");
    return Number(row[LABEL]);
  });
  const files = rows.map((row, i) => {
    const [subfolder, file] = [row[SUBFOLDER]!, row[FILE]!];
    const isName = (name: string) => /^[^/\\\0]+$/.test(name) && name !== "." && name !== "..";
    if (!isName(subfolder) || !isName(file))
      throw damaged(`row ${i}`, "file lies outside the folder");
    if (Number(row[PATH_LENGTH]) !== pathLength)
      throw damaged(`row ${i}`, "has another path length");
    return join(folder, subfolder, file);
  });
  if (!Number.isInteger(pathLength) || pathLength < 1) throw damaged("table", "has no path length");
  const expected = await expectedTable(folder, rows.length);
  const changed = expected?.findIndex((row, i) => row.join("\n") !== rows[i]!.join("\n")) ?? -1;
  if (changed >= 0)
    throw damaged(`row ${changed}`, "is not what the settings in generation.json give");
  return { folder, pathLength, files, labels };
}
