/**
 * Peak memory of every case of the PyTorch peer script: the resident set of a fresh process after ten
 * steps, here and, where PyTorch is at hand, there.
 *
 *   node benchmarks/memory.ts [--python python3]
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compileFused, groupRmsProp } from "@implicit-rank/tensor-factorization";
import { drawCase, peerCases } from "./factorization-cases.ts";
import { findPyTorch } from "./find-pytorch.ts";
import { markdownTable } from "./timing.ts";

const { values: options } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    child: { type: "string" },
  },
});

const pytorchProbe = `
import resource, runpy, sys
sys.argv = ["peer", "--seconds", "0.2", "--case", sys.argv[2]]
runpy.run_path(${JSON.stringify(fileURLToPath(new URL("pytorch_factorization.py", import.meta.url)))}, run_name="__main__")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
`;

/** In the child: ten steps, then the peak resident set in KiB and the kernel memory in bytes. */
async function runChild(name: string): Promise<void> {
  const problem = peerCases.find((candidate) => candidate.name === name)!;
  const { factorization, observations } = drawCase(problem, 1);
  const step = await compileFused(factorization, observations, { kind: "l2" }, groupRmsProp());
  for (let i = 0; i < 10; i++) step.step();
  console.log(JSON.stringify([process.resourceUsage().maxRSS, step.bytes]));
}

function measureHere(name: string): [string, string] {
  const script = fileURLToPath(import.meta.url);
  const run = spawnSync(process.execPath, [script, "--child", name], { encoding: "utf8" });
  const [resident, kernel] = JSON.parse(run.stdout) as [number, number];
  return [mebibytes(resident * 1024), mebibytes(kernel)];
}

function measurePyTorch(python: string | undefined, name: string): string {
  if (python === undefined) return "–";
  const run = spawnSync(python, ["-c", pytorchProbe, "-", name], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${name}: the PyTorch script failed: ${run.stderr}`);
  return mebibytes(Number(run.stderr.trim().split("\n").at(-1)) * 1024);
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

if (options.child !== undefined) await runChild(options.child);
else {
  const python = findPyTorch(options.python);
  console.log(
    markdownTable(
      ["case", "implicit-rank (MiB)", "of which kernel memory", "PyTorch (MiB)"],
      peerCases.map(({ name }) => [name, ...measureHere(name), measurePyTorch(python, name)]),
    ),
  );
}
