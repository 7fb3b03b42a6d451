import { z } from "zod";
import { randomSeed } from "@implicit-rank/random";
import { flagError } from "./error.ts";

/** A count of things: an integer of at least `minimum`. */
export function count(minimum: number) {
  const problem = `must be an integer of at least ${minimum}`;
  return z.int(problem).min(minimum, problem);
}

export const outputFlags = {
  output_dir: (folder: string) =>
    z
      .string()
      .min(1, "must name a folder")
      .default(folder)
      .describe("folder that the data set is written to"),
  custom_file_name: () =>
    z
      .string()
      .regex(/^[^/\\]*$/, "must be a name without / and \\ (give the folder with --output_dir)")
      .default("")
      .describe("start of the file name, in place of the settings"),
  random_seed: () =>
    z
      .int("must be an integer")
      .min(-1, "must be -1 or at least 0")
      .default(-1)
      .describe("seed of all random numbers; -1: a random one, which is recorded"),
};

/** Options with their defaults filled in. Throws DatasetError that names the first wrong flag. */
export function parseOptions<Schema extends z.ZodObject>(
  schema: Schema,
  options: z.input<Schema>,
): z.output<Schema> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw flagError(String(issue.path[0] ?? ""), issue.message);
}

/** The seed that a `random_seed` flag stands for: itself, or a random one for -1. */
export function resolveSeed(flag: number): number {
  return flag === -1 ? randomSeed() : flag;
}
