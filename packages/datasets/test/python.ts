import { spawnSync } from "node:child_process";

/** A Python that can import `modules`: IMPLICIT_RANK_PYTHON, python3 of the path, or the system's. */
export function findPython(...modules: readonly string[]): string | undefined {
  const candidates = [process.env.IMPLICIT_RANK_PYTHON, "python3", "/usr/bin/python3"];
  const found = candidates.find(
    (python) =>
      python !== undefined &&
      spawnSync(python, ["-c", `import ${modules.join(", ")}`], { timeout: 20_000 }).status === 0,
  );
  if (found === undefined) {
    console.warn(`SKIPPED: tests with Python's ${modules.join(", ")} (not installed)`);
  }
  return found;
}

/** Runs a program and gives what it printed as JSON. */
export function runPython(python: string, program: string, ...args: readonly string[]): unknown {
  const run = spawnSync(python, ["-c", program, ...args], { encoding: "utf8", timeout: 60_000 });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as unknown;
}
