import {
  listFlags,
  type MetricHistory,
  readMetrics,
  type RunConfig,
  type RunInfo,
  sharedFlags,
  showRun,
} from "@implicit-rank/experiment-kit";
import {
  cpFlags,
  hierarchicalFlags,
  matrixFlags,
} from "@implicit-rank/tensor-factorization/experiment";
import type { CommandDefinition } from "../command.ts";
import { formatDuration, formatNumber } from "../output/quantities.ts";
import { flagText } from "../output/flag-text.ts";
import { readProgress, type RunProgress } from "./find-runs.ts";
import { resumeCommand } from "./report-run.ts";

export const runsShow: CommandDefinition = {
  description: "Shows the settings, the state and the last metrics of a run.",
  operands: [{ name: "folder", description: "folder of the run" }],
  flagGroups: [],
  examples: ["implicit-rank runs show outputs/exps/exp_2026_01_31-12_00_00"],
  async run({ operands, output }) {
    const run = await showRun(operands[0]!);
    const [history, progress] = await Promise.all([readMetrics(run.folder), readProgress(run)]);
    const lines = [
      ...stateLines(run, progress),
      "",
      "Settings that are not the defaults:",
      ...settingLines(run.config),
      "",
      ...metricLines(run.config, history),
    ];
    output.result(jsonOf(run, progress, history), lines);
    return 0;
  },
};

type ShownRun = RunInfo & { readonly config: RunConfig };

function stateLines(run: ShownRun, progress: RunProgress): readonly string[] {
  const { summary, config, folder, status, checkpoints } = run;
  const { experiment, seed, num_model_parameters: parameters, created, imported } = config.run;
  const seconds = summary?.duration_seconds ?? undefined;
  const duration = seconds === undefined ? "" : `, ${formatDuration(1000 * seconds)}`;
  const saved =
    checkpoints.length === 0 ? "no checkpoint" : `checkpoints of epochs ${checkpoints.join(" ")}`;
  return [
    folder,
    `  ${experiment}, ${status}${summary ? `: ${summary.stop_reason}` : ""}`,
    `  ${progress.epochsDone} of ${progress.epochsPlanned} epochs${duration}, ${saved}`,
    `  ${parameters} parameters, seed ${seed ?? "unknown"}, begun ${created}`,
    ...(imported === undefined || imported.unknown_flags.length === 0
      ? []
      : [`  settings that are not known: ${imported.unknown_flags.join(", ")}`]),
    ...(status === "killed" || status === "interrupted" || status === "failed"
      ? [`  go on with: ${resumeCommand(folder)}`]
      : []),
  ];
}

const flagsOfExperiment = { mf: matrixFlags, cp: cpFlags, ht: hierarchicalFlags };

function settingLines(config: RunConfig): readonly string[] {
  const own = Object.entries(flagsOfExperiment).find(([name]) => name === config.run.experiment);
  const known = [...(own ? listFlags(own[1]) : []), ...listFlags(sharedFlags)];
  const defaults = new Map(known.map((flag) => [flag.name, JSON.stringify(flag.default)]));
  return Object.entries(config.flags)
    .filter(([name, value]) => JSON.stringify(value) !== defaults.get(name))
    .map(([name, value]) => `  ${flagText(name, value)}`);
}

/** The last values; metrics of one tag, such as the singular values of a matricization, on one line. */
function metricLines(config: RunConfig, history: MetricHistory): readonly string[] {
  const { train, validation, extra } = config.run.metrics;
  const byTag = new Map<string, string[]>();
  for (const { name, tag = name } of [...train, ...validation, ...extra]) {
    byTag.set(tag, [...(byTag.get(tag) ?? []), name]);
  }
  const lastEpoch = history.epochs.at(-1);
  if (lastEpoch === undefined) return ["No metrics yet."];
  const last = (name: string): string => formatNumber(history.series.get(name)?.values.at(-1));
  const lines = [...byTag].map(([tag, names]) =>
    names.length === 1
      ? `  ${names[0]}: ${last(names[0]!)}`
      : isNumbered(names)
        ? `  ${tag}: ${names.map(last).join(" ")}`
        : names.map((name) => `  ${name}: ${last(name)}`).join("\n"),
  );
  return [`Last metrics (epoch ${lastEpoch}, counted from 0):`, ...lines];
}

/** Whether names differ in a number only: singular_value_0, singular_value_1, … */
function isNumbered(names: readonly string[]): boolean {
  return new Set(names.map((name) => name.replace(/\d+(?=\D*$)/, "#"))).size === 1;
}

function jsonOf(run: ShownRun, progress: RunProgress, history: MetricHistory) {
  const metrics = [...history.series.values()].map(({ name, epochs, values }) => {
    return [name, { value: values.at(-1) ?? null, epoch: epochs.at(-1) ?? -1 }] as const;
  });
  return {
    folder: run.folder,
    state: run.status,
    epochs_done: progress.epochsDone,
    epochs_planned: progress.epochsPlanned,
    checkpoints: run.checkpoints,
    config: { ...run.config.flags, run: run.config.run },
    summary: run.summary ?? null,
    last_metrics: Object.fromEntries(metrics),
  };
}
