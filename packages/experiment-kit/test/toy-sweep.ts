// A sweep in a process of its own, to be killed: node toy-sweep.ts FOLDER FLAGS_JSON
import { expandGrid, runSweep } from "../src/index.ts";
import type { Experiment, TypedValue } from "../src/index.ts";
import { toyExperiment } from "./toy-experiment.ts";

const [folder = "", flags = "{}"] = process.argv.slice(2);
const grid = JSON.parse(flags) as Record<string, TypedValue>;
const tasks = expandGrid([toyExperiment as Experiment], grid, { folder });
const { exitCode } = await runSweep(
  { folder, tasks },
  {
    workers: 2,
    workerModule: new URL("toy-worker.ts", import.meta.url),
    stream: { write: (text) => process.stdout.write(text) },
  },
);
process.exitCode = exitCode;
