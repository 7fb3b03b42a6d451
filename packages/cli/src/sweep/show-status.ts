import { basename } from "node:path";
import { readSlurmStatus, readSweep, type SlurmTaskStatus } from "@implicit-rank/experiment-kit";
import { formatNumber } from "../output/quantities.ts";
import type { Output } from "../output/output.ts";
import { type Column, formatTable } from "../output/table.ts";
import { countStates, describeCounts, problemLines } from "./finish-sweep.ts";

const columns: readonly Column[] = [
  { title: "run" },
  { title: "state" },
  { title: "score", align: "right" },
  { title: "job" },
  { title: "Slurm" },
];

/** Prints the state of every run of a sweep, in its folder and in Slurm. */
export async function showStatus(folder: string, output: Output): Promise<number> {
  const { statuses, known } = await readSlurmStatus(await readSweep(folder));
  const rows = statuses.map((status) => [
    basename(status.task.folder),
    status.state,
    formatNumber(status.summary?.score),
    status.job ?? "-",
    status.slurmState ?? "-",
  ]);
  const counts = countStates(statuses);
  output.result({ folder, counts, slurm_answers: known, runs: statuses.map(jsonOf) }, [
    ...formatTable(columns, rows),
    "",
    describeCounts(counts),
    ...problemLines(statuses),
    ...(known ? [] : ["Slurm does not answer: these are the states of the run folders alone."]),
  ]);
  return 0;
}

function jsonOf(status: SlurmTaskStatus) {
  return {
    folder: status.task.folder,
    experiment: status.task.experiment,
    state: status.state,
    score: status.summary?.score ?? null,
    job: status.job ?? null,
    slurm_state: status.slurmState ?? null,
    problem: status.problem ?? null,
  };
}
