import { stat } from "node:fs/promises";
import { isUserError } from "../errors.ts";
import { encodeCurves } from "../report/curve-codec.ts";
import { curvesOf, describeDamagedRun, describeRun } from "../report/describe-run.ts";
import type { Curve, LiveMessages, ReportRun, RunProgress } from "../report/report-data.ts";
import { runPaths } from "../run-folder/files.ts";
import { showRun } from "../run-folder/list-runs.ts";
import { createMetricsReader } from "../run-folder/metrics-reader.ts";
import type { MetricHistory, MetricsReader } from "../run-folder/metrics-reader.ts";
import type { LiveMessage } from "./live-message.ts";

/** Follows one run folder. */
export interface RunFeed {
  readonly folder: string;
  readonly key: string;
  /** Looks at the files; gives what is new to those who know the last `current`. */
  poll(): Promise<readonly LiveMessage[]>;
  /** Everything as of the last poll. */
  current(): LiveMessage | undefined;
}

/** What was read of a run that goes on: only what comes after it is sent. */
interface Followed {
  readonly reader: MetricsReader;
  readonly lock: string;
  readonly history: MetricHistory;
  /** The length and the last line, to notice that the file was cut back and has grown again. */
  readonly lines: number;
  readonly lastEpoch: number | undefined;
  readonly lastSeconds: number | undefined;
  /** Points by metric. */
  readonly points: readonly number[];
}

/** `curveLimit` tells how many points a curve may have when it is sent as a whole. */
export function createRunFeed(folder: string, key: string, curveLimit: () => number): RunFeed {
  let signature = "";
  let run: ReportRun | undefined;
  let followed: Followed | undefined;
  let encoded: string | undefined;

  const whole = (): LiveMessage | undefined => {
    if (run === undefined) return undefined;
    encoded ??= encode(
      followed === undefined ? [] : curvesOf(run.metrics, followed.history, curveLimit()),
    );
    return { event: "run", data: { run, curves: encoded } };
  };

  const damage = (problem: string): readonly LiveMessage[] => {
    if (run?.state === "damaged" && run.reason === problem) return [];
    run = describeDamagedRun(key, folder, problem);
    followed = undefined;
    encoded = undefined;
    return [whole()!];
  };

  const read = async (lock: string): Promise<readonly LiveMessage[]> => {
    // A process that takes the lock resumes the run: it cuts the metrics back first.
    const known = followed?.lock === lock || lock === NO_FILE ? followed : undefined;
    const reader = known?.reader ?? createMetricsReader(folder);
    const info = await showRun(folder);
    const history = await reader.read();
    const described = describeRun(key, info, history);
    const before = run;
    run = described;
    followed = follow(reader, lock, history, described);
    const isContinued =
      known !== undefined && before !== undefined && continues(known, history, before, described);
    if (!isContinued) {
      encoded = undefined;
      return [whole()!];
    }
    const points = newPoints(known, history, described);
    const progress = progressOf(described);
    const hasPoints = Object.keys(points).length > 0;
    if (hasPoints) encoded = undefined;
    const isNew = hasPoints || JSON.stringify(progress) !== JSON.stringify(progressOf(before));
    return isNew ? [{ event: "points", data: { run: progress, points } }] : [];
  };

  return {
    folder,
    key,
    async poll() {
      const { text, lock } = await signatureOf(folder);
      if (text === signature && run?.state !== "running") {
        // What is over is kept only as it is sent.
        if (followed !== undefined && whole() !== undefined) followed = undefined;
        return [];
      }
      try {
        const messages = await read(lock);
        signature = text;
        return messages;
      } catch (error) {
        if (!isUserError(error)) throw error;
        signature = text;
        return damage(error.message);
      }
    },
    current: whole,
  };
}

const NO_FILE = "-";

/** Tells whether any file of a run has changed, and whether another process has taken its lock. */
async function signatureOf(folder: string): Promise<{ text: string; lock: string }> {
  const { config, metrics, summary, lock } = runPaths(folder);
  const [lockFile, ...others] = await Promise.all(
    [lock, config, metrics, summary].map((path) => stat(path).catch(() => undefined)),
  );
  const texts = others.map((file) =>
    file === undefined ? NO_FILE : `${file.ino} ${file.size} ${file.mtimeMs}`,
  );
  // The holder touches its lock now and then, so its time of change says nothing.
  const lockText = lockFile === undefined ? NO_FILE : `${lockFile.ino} ${lockFile.birthtimeMs}`;
  return { text: [lockText, ...texts].join(" "), lock: lockText };
}

function follow(
  reader: MetricsReader,
  lock: string,
  history: MetricHistory,
  run: ReportRun,
): Followed {
  return {
    reader,
    lock,
    history,
    lines: history.epochs.length,
    lastEpoch: history.epochs.at(-1),
    lastSeconds: history.seconds.at(-1),
    points: run.metrics.map(({ name }) => history.series.get(name)?.values.length ?? 0),
  };
}

function continues(
  known: Followed,
  history: MetricHistory,
  before: ReportRun,
  now: ReportRun,
): boolean {
  const last = known.lines - 1;
  return (
    history.epochs.length >= known.lines &&
    (last < 0 ||
      (history.epochs[last] === known.lastEpoch &&
        Object.is(history.seconds[last], known.lastSeconds))) &&
    identityOf(before) === identityOf(now)
  );
}

/** What stays as it is while a run goes on; resuming may change it. */
function identityOf(run: ReportRun): string {
  const { settings, environment, facts, firstEpoch, plannedLastEpoch, metrics } = run;
  const names = metrics.map(({ name }) => name);
  return JSON.stringify([settings, environment, facts, firstEpoch, plannedLastEpoch, names]);
}

function newPoints(
  known: Followed,
  history: MetricHistory,
  run: ReportRun,
): LiveMessages["points"]["points"] {
  const points: Record<string, readonly [readonly number[], readonly (number | null)[]]> = {};
  run.metrics.forEach(({ name }, i) => {
    const series = history.series.get(name);
    const from = known.points[i]!;
    if (series === undefined || series.values.length <= from) return;
    points[i] = [
      Array.from(series.epochs.subarray(from)),
      Array.from(series.values.subarray(from), (value) => (Number.isFinite(value) ? value : null)),
    ];
  });
  return points;
}

function progressOf(run: RunProgress): RunProgress {
  const { key, name, state, reason, lastScore, bestScore, lastEpoch, seconds } = run;
  return { key, name, state, reason, lastScore, bestScore, lastEpoch, seconds };
}

function encode(curves: readonly Curve[]): string {
  return Buffer.from(encodeCurves(curves)).toString("base64");
}
