import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runPaths } from "./files.ts";
import { removeLockDrafts } from "./lock.ts";

/** As `writeFileAtomic` names a file that it has not finished. */
const UNFINISHED = /^\..*\.\d+\.[0-9a-f]{12}\.tmp$/;

/** Removes what a killed process has left half-written in a run folder; its lock must be held. */
export async function removeLeftovers(folder: string): Promise<void> {
  const { plots, checkpoints } = runPaths(folder);
  for (const place of [folder, plots, checkpoints]) {
    const names = await readdir(place).catch(() => []);
    for (const name of names)
      if (UNFINISHED.test(name)) await rm(join(place, name), { force: true });
  }
  await removeLockDrafts(folder);
}
