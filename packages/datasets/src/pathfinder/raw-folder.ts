import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  encodeNpyText,
  isChecksumIntact,
  isFileExistsError,
  withChecksum,
  writeFileAtomic,
} from "@implicit-rank/array-files";
import { DatasetError } from "../error.ts";
import { readSource } from "../image-source/source-file.ts";
import { makeFolder } from "../make-folder.ts";
import { VERSION } from "../version.ts";
import type { PathfinderSettings } from "./raw-flags.ts";
import { imageDraws } from "./synthesis.ts";

/** Subfolder of the images within the folder of a path length. */
export const IMAGE_FOLDER = "imgs";
const SETTINGS_FILE = "generation.json";
export const METADATA_FILE = "metadata.npy";
const FORMAT = "implicit-rank pathfinder images";
/** Changes whenever the same settings and seed would give other images. */
const FORMAT_VERSION = 1;

export function lengthFolder(outputDir: string, pathLength: number): string {
  return join(outputDir, `curv_contour_length_${pathLength}`);
}

export function imageName(index: number): string {
  return `sample_${index}.png`;
}

/** What determines the images of a folder. */
export interface Generation {
  readonly pathLength: number;
  readonly settings: PathfinderSettings;
  readonly seed: number;
}

/**
 * Makes the folder of a path length ready and returns the seed of its images: the recorded one if it
 * holds images of the same settings already (they are kept), else the given one. Another process may make
 * the same folder ready at the same time; whichever records its settings first determines the seed.
 * @param seed undefined if any seed will do
 * @throws DatasetError (exit code 2) if the folder holds other images
 */
export async function openLengthFolder(
  folder: string,
  wanted: Omit<Generation, "seed">,
  seed: number | undefined,
  newSeed: () => number,
): Promise<number> {
  const file = join(folder, SETTINGS_FILE);
  if (!existsSync(file)) {
    await refuseForeignImages(folder);
    await makeFolder(join(folder, IMAGE_FOLDER));
    const chosen = seed ?? newSeed();
    if (await writeRecord(file, { ...wanted, seed: chosen })) return chosen;
  }
  return checkRecorded(file, await readText(file), wanted, seed);
}

/** Whether the settings were recorded; false if another process was first. */
async function writeRecord(file: string, generation: Generation): Promise<boolean> {
  try {
    await writeFileAtomic(file, `${JSON.stringify(record(generation), null, 2)}\n`);
    return true;
  } catch (error) {
    if (isFileExistsError(error)) return false;
    throw error;
  }
}

function record({ pathLength, settings, seed }: Generation): Record<string, unknown> {
  return withChecksum({
    format: FORMAT,
    format_version: FORMAT_VERSION,
    version: VERSION,
    path_length: pathLength,
    seed,
    settings,
  });
}

function checkRecorded(
  file: string,
  text: string,
  wanted: Omit<Generation, "seed">,
  seed: number | undefined,
): number {
  const recorded = parseRecord(file, text);
  const remedy = "choose another --output_dir or delete the folder";
  if (recorded.format_version !== FORMAT_VERSION) {
    throw new DatasetError(`${file}: format_version: made by another version; ${remedy}`, 2);
  }
  const settings = recorded.settings as Readonly<Record<string, unknown>>;
  for (const [flag, value] of Object.entries(wanted.settings)) {
    if (JSON.stringify(settings[flag]) === JSON.stringify(value)) continue;
    const before = JSON.stringify(settings[flag]) ?? "nothing";
    throw new DatasetError(
      `--${flag}: ${JSON.stringify(value)} given, but the images in ${file} were made with ${before}; ${remedy}`,
      2,
    );
  }
  const recordedSeed = recorded.seed;
  if (!Number.isSafeInteger(recordedSeed) || (recordedSeed as number) < 0) {
    throw new DatasetError(`${file}: seed: is damaged; ${remedy}`, 1);
  }
  if (seed !== undefined && seed !== recordedSeed) {
    throw new DatasetError(
      `--random_seed: ${seed} given, but the images in ${file} were made with ${String(recordedSeed)}; ${remedy}`,
      2,
    );
  }
  return recordedSeed as number;
}

function parseRecord(file: string, text: string): Record<string, unknown> {
  try {
    const parsed = JSON.parse(text) as unknown;
    const isRecord =
      typeof parsed === "object" &&
      parsed !== null &&
      "format" in parsed &&
      parsed.format === FORMAT &&
      "settings" in parsed &&
      typeof parsed.settings === "object" &&
      parsed.settings !== null;
    if (isRecord) return checkedRecord(file, parsed as unknown as Record<string, unknown>);
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    // falls through to the same message as other content
  }
  throw new DatasetError(
    `${file}: is no record of generated images; choose another --output_dir or delete the folder`,
    1,
  );
}

function checkedRecord(file: string, record: Record<string, unknown>): Record<string, unknown> {
  if (isChecksumIntact(record)) return record;
  throw new DatasetError(
    `${file}: checksum: does not fit, the file was damaged or edited; restore it or delete the folder`,
    1,
  );
}

async function readText(file: string): Promise<string> {
  return new TextDecoder().decode(await readSource(file));
}

/**
 * The table that `metadata.npy` of a folder must hold if it has so many rows: the settings and the seed
 * determine it. Undefined for a folder of the Python scripts, or of a version that draws other images.
 * @throws DatasetError (exit code 1) if the record of the settings is damaged
 */
export async function expectedTable(
  folder: string,
  samples: number,
): Promise<string[][] | undefined> {
  const file = join(folder, SETTINGS_FILE);
  if (!existsSync(file)) return undefined;
  const recorded = parseRecord(file, await readText(file));
  if (recorded.format_version !== FORMAT_VERSION) return undefined;
  const { path_length: pathLength, settings, seed } = recorded;
  return metadataTable({ pathLength, settings, seed } as Generation, samples);
}

async function refuseForeignImages(folder: string): Promise<void> {
  const names = await readdir(join(folder, IMAGE_FOLDER)).catch(() => []);
  const hasImages = names.length > 0 || existsSync(join(folder, METADATA_FILE));
  // The settings are looked for last: who made images here recorded the settings before the first of them.
  if (hasImages && !existsSync(join(folder, SETTINGS_FILE))) {
    throw new DatasetError(
      `${folder}: holds images without ${SETTINGS_FILE}, not made by implicit-rank; choose another --output_dir`,
      2,
    );
  }
}

/**
 * The table in `metadata.npy`, a row of text for each image as the Python scripts have it: subfolder,
 * file, number, label, continuity, path length, distractor length, paddle length, thickness, margin,
 * number of paddle contrasts.
 */
export function metadataTable(generation: Generation, samples: number): string[][] {
  const { settings, pathLength, seed } = generation;
  return Array.from({ length: samples }, (_, index) => {
    const { label, margin } = imageDraws(settings, seed, pathLength, index);
    return [
      IMAGE_FOLDER,
      imageName(index),
      String(index),
      String(label),
      pythonFloat(settings.continuity),
      String(pathLength),
      pythonFloat(pathLength / 3),
      String(settings.paddle_length),
      String(settings.paddle_thickness),
      String(margin),
      String(settings.paddle_contrast_list.length),
    ];
  });
}

/** A float as Python prints it: 3.0, not 3. */
function pythonFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** Writes `metadata.npy`; it is the last file, so a folder that has it is complete. */
export async function writeMetadata(
  folder: string,
  generation: Generation,
  samples: number,
): Promise<void> {
  const bytes = encodeNpyText(metadataTable(generation, samples));
  await writeFileAtomic(join(folder, METADATA_FILE), bytes, { overwrite: true });
}
