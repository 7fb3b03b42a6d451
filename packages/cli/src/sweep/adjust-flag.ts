import { resolve } from "node:path";

/** A run can be resumed from anywhere, so the files that it needs are named by their whole path. */
export function adjustFlag(name: string, value: unknown): unknown {
  const isPath = /(^|_)dataset_path$|^source_dir$|^trainer_checkpoint$/.test(name);
  return isPath && typeof value === "string" && value !== "" ? resolve(value) : value;
}
