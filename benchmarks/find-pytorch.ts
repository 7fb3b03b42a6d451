import { spawnSync } from "node:child_process";

/** The first Python that has torch: the one named, or the system's own; undefined where neither has. */
export function findPyTorch(named: string): string | undefined {
  return [named, "/usr/bin/python3"].find(
    (python) => spawnSync(python, ["-c", "import torch"]).status === 0,
  );
}
