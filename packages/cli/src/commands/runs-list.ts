import { relative } from "node:path";
import type { RunInfo } from "@implicit-rank/experiment-kit";
import type { CommandDefinition } from "../command.ts";
import { formatDuration, formatNumber } from "../output/quantities.ts";
import { type Column, formatTable } from "../output/table.ts";
import { findRuns, readProgress, type RunProgress } from "./find-runs.ts";

const columns: readonly Column[] = [
  { title: "run" },
  { title: "kind" },
  { title: "epochs", align: "right" },
  { title: "score" },
  { title: "value", align: "right" },
  { title: "state" },
  { title: "age", align: "right" },
];

export const runsList: CommandDefinition = {
  description: "Lists the runs in a folder and below it: kind, epochs, score, state and age.",
  operands: [{ name: "folder", description: "where to look (default: outputs)", optional: true }],
  flagGroups: [],
  examples: ["implicit-rank runs list outputs/exps"],
  async run({ operands, output }) {
    const root = operands[0] ?? "outputs";
    const found = await findRuns(root);
    const listed = await Promise.all(
      found.map(async (run) => ({ run, progress: await readProgress(run) })),
    );
    const now = Date.now();
    const rows = listed.map(({ run, progress }) => rowOf(root, run, progress, now));
    const problems = found.flatMap((run) => (run.problem === undefined ? [] : [run.problem]));
    const lines = found.length === 0 ? [`No runs below ${root}.`] : formatTable(columns, rows);
    output.result(
      listed.map(({ run, progress }) => jsonOf(run, progress)),
      lines,
    );
    problems.forEach((problem) => output.note(`damaged: ${problem}`));
    return 0;
  },
};

function rowOf(root: string, run: RunInfo, progress: RunProgress, now: number): readonly string[] {
  const name = relative(root, run.folder);
  const record = run.config?.run;
  if (record === undefined) return [name, "?", "-", "-", "-", run.status, "-"];
  return [
    name,
    record.experiment,
    `${progress.epochsDone}/${progress.epochsPlanned}`,
    record.score.metric,
    formatNumber(progress.score),
    run.status,
    formatDuration(now - Date.parse(record.created)),
  ];
}

function jsonOf(run: RunInfo, progress: RunProgress): Readonly<Record<string, unknown>> {
  const record = run.config?.run;
  return {
    folder: run.folder,
    state: run.status,
    kind: record?.experiment ?? null,
    epochs_done: progress.epochsDone,
    epochs_planned: progress.epochsPlanned,
    score_name: record?.score.metric ?? null,
    score: progress.score,
    created: record?.created ?? null,
    problem: run.problem ?? null,
  };
}
