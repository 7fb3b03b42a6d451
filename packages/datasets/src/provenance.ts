import { VERSION } from "./version.ts";

/** Flags that say where a file goes, not what is in it. */
const FILE_FLAGS = new Set(["output_dir", "custom_file_name", "dataset_path"]);

/** What is needed to make the same data again: generator, version, all its flags and the seed that was used. */
export function recordProvenance(
  generator: string,
  flags: Readonly<Record<string, unknown>>,
  seed: number,
): Readonly<Record<string, unknown>> {
  const content = Object.entries(flags).filter(([name]) => !FILE_FLAGS.has(name));
  return {
    generator,
    package: "@implicit-rank/datasets",
    version: VERSION,
    flags: { ...Object.fromEntries(content), random_seed: seed },
    seed,
  };
}
