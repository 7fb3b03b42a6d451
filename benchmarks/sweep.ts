/**
 * How busy a sweep of many short runs keeps the cores.
 *
 *   node benchmarks/sweep.ts [--runs 200] [--epochs 10000] [--workers N] [--json]
 *
 * CPU time of the sweep's processes (/proc, Linux only) over wall time × cores. Where other programs use
 * the cores too, that share is lost to them: "demand" also counts the time in which a process was ready
 * to run and waited for a core (main threads only), about what it would have used of an idle machine.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { markdownTable } from "./timing.ts";

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "200" },
    epochs: { type: "string", default: "10000" },
    workers: { type: "string", default: String(availableParallelism()) },
    json: { type: "boolean", default: false },
  },
});
const cli = fileURLToPath(new URL("../packages/cli/dist/bin.js", import.meta.url));
const POLL_MS = 50;

interface Usage {
  readonly cpuSeconds: number;
  readonly waitSeconds: number;
}

/** Nanoseconds on a core of every thread that was ever seen, and in its queue of every process's first. */
function createUsageMeter(root: number): { poll(): void; usage(): Usage } {
  const seen = new Map<string, readonly [number, number]>();
  const pollProcess = (pid: number): void => {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      const waited = thread === String(pid) ? Number(stat[1]) : 0;
      seen.set(`${pid}/${thread}`, [Number(stat[0]), waited]);
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8");
      for (const child of children.split(" ").filter(Boolean)) pollProcess(Number(child));
    }
  };
  const total = (index: 0 | 1): number =>
    [...seen.values()].reduce((sum, times) => sum + times[index], 0) / 1e9;
  return {
    poll() {
      try {
        pollProcess(root);
      } catch {
        // It ended meanwhile.
      }
    },
    usage: () => ({ cpuSeconds: total(0), waitSeconds: total(1) }),
  };
}

/** Runs a command and resolves with its wall time and the use of cores of all its processes. */
function measure(args: readonly string[]): Promise<Usage & { readonly wallSeconds: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  const meter = createUsageMeter(child.pid!);
  const timer = setInterval(meter.poll, POLL_MS);
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => {
      clearInterval(timer);
      const wallSeconds = (performance.now() - start) / 1000;
      if (code === 0) resolve({ ...meter.usage(), wallSeconds });
      else reject(new Error(`implicit-rank ${args.join(" ")} ended with ${code}`));
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), "implicit-rank-sweep-"));
try {
  const size = ["--num_rows", "16", "--num_cols", "16", "--rank", "2", "--num_samples", "256"];
  await measure(["data", "matrix", ...size, "--seed", "1", "--output_dir", folder, "--quiet"]);
  const data = join(folder, readdirSync(folder)[0]!);
  const grid = ["--dataset_path", data, "--num_train_samples", "128", "--epochs", options.epochs];
  const never = ["--stop_on_zero_loss_tol", "0"];
  const cadence = ["--validate_every", "25", "--epoch_log_interval", "25", ...never];
  const seeds = ["--seed", `0..${Number(options.runs) - 1}`];
  const place = ["--sweep_dir", join(folder, "sweep"), "--workers", options.workers, "--quiet"];
  const { cpuSeconds, waitSeconds, wallSeconds } = await measure([
    ...["sweep", "mf", ...grid, ...cadence, ...seeds, ...place],
  ]);
  const cores = availableParallelism();
  const busy = cpuSeconds / (wallSeconds * cores);
  const demand = Math.min(1, (cpuSeconds + waitSeconds) / (wallSeconds * cores));
  const result = { runs: Number(options.runs), cores, wallSeconds, cpuSeconds, busy, demand };
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  console.log(
    options.json
      ? JSON.stringify(result)
      : markdownTable(
          ["runs", "cores", "wall s", "CPU s", "CPU s per run", "busy", "demand"],
          [
            [
              options.runs,
              String(cores),
              wallSeconds.toFixed(1),
              cpuSeconds.toFixed(1),
              (cpuSeconds / result.runs).toFixed(3),
              percent(busy),
              percent(demand),
            ],
          ],
        ),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
