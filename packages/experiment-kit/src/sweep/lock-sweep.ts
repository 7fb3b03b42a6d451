import { makeFolder } from "../run-folder/create-run-folder.ts";
import { lockRun } from "../run-folder/lock.ts";
import type { RunLock } from "../run-folder/lock.ts";

/**
 * The right to start the runs of a sweep; at most one process has it.
 *
 * @throws RunError if another live process has it.
 */
export async function lockSweep(folder: string): Promise<RunLock> {
  await makeFolder(folder);
  return lockRun(folder, "sweep");
}
