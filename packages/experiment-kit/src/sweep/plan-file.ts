import { readFile } from "node:fs/promises";
import { z } from "zod";
import { fileError, lineOf, MisuseError } from "../errors.ts";

const configuration = z.strictObject({
  base_config: z.record(z.string(), z.unknown()),
  options: z.record(z.string(), z.array(z.unknown()).min(1)).default({}),
  experiment: z.string().min(1).optional(),
});

const planSchema = z.strictObject({
  name: z.string().default(""),
  description: z.string().default(""),
  experiment: z.string().min(1).optional(),
  configurations: z.array(configuration).min(1),
  skip: z.int().min(0).default(0),
  repetitions: z.int().min(1).default(1),
  largest: z.boolean().optional(),
  multiprocess: z.boolean().default(false),
  num_parallel: z.int().min(1).default(1),
  gpu_ids_pool: z.array(z.int().min(0)).default([]),
});

/**
 * An experiment plan; docs/sweeps.md describes its keys.
 *
 * @interface
 */
export type Plan = z.infer<typeof planSchema>;

/**
 * Reads an experiment plan.
 *
 * @throws MisuseError naming the file and the JSON path of the wrong field.
 */
export async function readPlan(path: string): Promise<Plan> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new MisuseError(`--plan_config_path: ${fileError(path, "be read", error).message}`);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new MisuseError(`${path}: is not valid JSON: ${lineOf(error)}`);
  }
  return parsePlan(content, path);
}

/**
 * Checks a plan that was read from JSON.
 *
 * @param source name of its file, for messages.
 * @throws MisuseError that names the place in the plan.
 */
export function parsePlan(content: unknown, source: string): Plan {
  const parsed = planSchema.safeParse(content);
  if (!parsed.success) throw describeIssue(parsed.error.issues[0]!, source);
  const { multiprocess, num_parallel: parallel, gpu_ids_pool: pool } = parsed.data;
  if (multiprocess && pool.length > 0 && pool.length < parallel)
    throw new MisuseError(
      `${source}: gpu_ids_pool: must have at least num_parallel = ${parallel} ids (got ${pool.length})`,
    );
  return parsed.data;
}

function describeIssue(issue: z.core.$ZodIssue, source: string): MisuseError {
  if (issue.code === "unrecognized_keys") {
    const path = jsonPath([...issue.path, issue.keys[0]!]);
    return new MisuseError(`${source}: ${path}: there is no such key; remove it`);
  }
  const path = issue.path.length === 0 ? "the plan" : jsonPath(issue.path);
  const message = issue.message.replace(/^Invalid input: /, "").replace(/^./, lower);
  return new MisuseError(`${source}: ${path}: ${message}`);
}

const lower = (letter: string): string => letter.toLowerCase();

/** `["configurations", 0, "options", "lr"]` → `configurations[0].options.lr`. */
export function jsonPath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
}
