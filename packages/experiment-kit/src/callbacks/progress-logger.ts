import type { Callback, Fit } from "../fit/callback.ts";
import type { MetricReference } from "../fit/metric-values.ts";
import type { Progress, RunConsole } from "../output/console.ts";
import { formatDuration, formatRate, formatValue } from "../output/format.ts";
import type { RunLog } from "../output/run-log.ts";

export interface ProgressLoggerOptions {
  readonly log: RunLog;
  readonly console: RunConsole;
  readonly score: MetricReference;
  readonly epochLogInterval: number;
  /** Every n-th batch of an epoch is logged; 0 or less: none. */
  readonly trainBatchLogInterval: number;
  /** Whether an epoch has several batches, so that there is something to show within it. */
  readonly severalBatches?: boolean;
}

/** At most this many metrics in a log line; all are in metrics.jsonl. */
const METRICS_PER_LINE = 8;
/** Log lines come this often at first and less often in a long run, so that a log stays readable. */
const SHORTEST_LOG_INTERVAL_MS = 1000;
const LONGEST_LOG_INTERVAL_MS = 30_000;
/** How far an epoch is, is shown of those that last longer. */
const BRIEF_EPOCH_MS = 500;

/**
 * Reports on training: the line of progress of a console, and log lines about logged epochs (every
 * `epochLogInterval` and every validation) and batches. Where epochs are fast, log lines are thinned out
 * to one a second at first and one in 30 seconds later; where they are slow, the line of progress shows how
 * far the epoch is.
 */
export function progressLogger(options: ProgressLoggerOptions): Callback {
  const { log, console, score, epochLogInterval, trainBatchLogInterval } = options;
  const { severalBatches = false } = options;
  const rate = createRate();
  let startedAt = 0;
  let logAt = 0;
  let progressAt = 0;
  let epochStartedAt = 0;
  let loggedEpoch = -1;
  let epochsBefore = 0;

  const logEpoch = (fit: Fit): void => {
    loggedEpoch = fit.epoch;
    const metrics = describeMetrics(fit, score);
    const speed = `${formatRate(rate.perSecond(fit))} epochs/s, ETA ${formatDuration(rate.remainingSeconds(fit))}`;
    const progress = `${fit.epoch - epochsBefore}/${fit.lastEpoch - epochsBefore}`;
    log.epoch(`Epoch ${fit.epoch} - ${metrics} - ${progress} epochs, ${speed}`);
  };

  const showWithin = (fit: Fit, within: NonNullable<Progress["within"]>): void => {
    if (fit.now < progressAt || fit.now < epochStartedAt + BRIEF_EPOCH_MS) return;
    progressAt = fit.now + console.progressInterval;
    reportProgress(fit, console, score, rate, within);
  };

  const logBatch = (fit: Fit, batch: number): void => {
    if (trainBatchLogInterval <= 0 || (batch + 1) % trainBatchLogInterval !== 0) return;
    if (fit.now < logAt) return;
    logAt = nextLogTime(fit.now, startedAt);
    const values = fit.metrics.train.infos.map(
      ({ name }, i) => `${name} ${formatValue(fit.batchValues[i]!)}`,
    );
    log.epoch(
      `Epoch ${fit.epoch} - train batch ${batch + 1}/${fit.trainable.batchesPerEpoch} - ${values.join(", ")}`,
    );
  };

  const showsProgress = console.progressInterval !== Infinity;
  const watchBatches = trainBatchLogInterval > 0 || (severalBatches && showsProgress);
  const onTrainBatchEnd = (fit: Fit, batch: number): void => {
    const total = fit.trainable.batchesPerEpoch;
    if (showsProgress) showWithin(fit, { phase: "train", done: batch + 1, total });
    logBatch(fit, batch);
  };

  return {
    onFitStart(fit) {
      startedAt = fit.now;
      rate.start(fit);
      epochsBefore = fit.firstEpoch - 1;
      const count = fit.lastEpoch - epochsBefore;
      log.info(
        `Starting fit for ${count} epochs. Epochs range (inclusive): ${fit.firstEpoch}--${fit.lastEpoch}`,
      );
    },
    onEpochStart(fit) {
      epochStartedAt = fit.now;
    },
    ...(watchBatches ? { onTrainBatchEnd } : {}),
    ...(showsProgress
      ? {
          onValidationProgress: (fit: Fit, done: number, total: number) =>
            showWithin(fit, { phase: "validate", done, total }),
        }
      : {}),
    onEpochEnd(fit) {
      if (severalBatches) rate.update(fit);
      if (fit.now >= progressAt) {
        progressAt = fit.now + console.progressInterval;
        rate.update(fit);
        if (showsProgress) reportProgress(fit, console, score, rate);
      }
      if (fit.now < logAt) return;
      const isLogged =
        fit.validated || (epochLogInterval > 0 && (fit.epoch + 1) % epochLogInterval === 0);
      if (!isLogged) return;
      logAt = nextLogTime(fit.now, startedAt);
      rate.update(fit);
      logEpoch(fit);
    },
    onFitEnd(fit) {
      rate.update(fit);
      if (fit.epoch !== loggedEpoch && fit.epoch >= fit.firstEpoch) logEpoch(fit);
      if (showsProgress) reportProgress(fit, console, score, rate);
      if (fit.stop !== undefined && fit.stop.kind !== "interrupted")
        log[fit.stop.kind === "not-finite" ? "error" : "info"](
          `Training stops: ${fit.stop.message}`,
        );
      const seconds = (fit.now - startedAt) / 1000;
      log.info(
        `Finished fit for ${fit.epoch - epochsBefore} epochs. Time took: ${formatDuration(seconds, 6)}`,
      );
    },
  };
}

function nextLogTime(now: number, startedAt: number): number {
  return (
    now +
    Math.min(LONGEST_LOG_INTERVAL_MS, Math.max(SHORTEST_LOG_INTERVAL_MS, (now - startedAt) / 20))
  );
}

function reportProgress(
  fit: Fit,
  console: RunConsole,
  score: MetricReference,
  rate: Rate,
  within?: Progress["within"],
): void {
  const { train } = fit.metrics;
  const values = within?.phase === "train" ? fit.batchValues : train.values;
  const shown = train.infos.slice(0, 1).map(({ name }, i) => ({ name, value: values[i]! }));
  const isKnown = score.group.epochs[score.index]! >= 0;
  if (isKnown && score.name !== shown[0]?.name)
    shown.push({ name: score.name, value: score.group.values[score.index]! });
  const epochs = within === undefined ? fit.epoch : fit.epoch - 1 + trainedShare(within);
  console.progress({
    epoch: within === undefined ? fit.epoch : fit.epoch - 1,
    lastEpoch: fit.lastEpoch,
    ...(within === undefined ? {} : { within }),
    epochsPerSecond: rate.perSecond(fit, epochs),
    remainingSeconds: rate.remainingSeconds(fit, epochs),
    elapsedSeconds: fit.elapsedSeconds(),
    metrics: shown,
  });
}

/** The share of an epoch's training that is done; a validation comes after all of it. */
function trainedShare({ phase, done, total }: NonNullable<Progress["within"]>): number {
  return phase === "train" ? done / total : 1;
}

/** Train metrics, then the score, then the other validation metrics, as far as a line is long; latest values. */
function describeMetrics(fit: Fit, score: MetricReference): string {
  const { train, validation, extra } = fit.metrics;
  const all = [train, validation, extra].flatMap((group) =>
    group.infos.map((info, index) => ({ name: info.name, group, index })),
  );
  const rank = ({ group, name }: (typeof all)[number]): number =>
    group === train ? 0 : name === score.name ? 1 : 2;
  const known = all.filter(({ group, index }) => group.epochs[index]! >= 0);
  const shown = known.toSorted((a, b) => rank(a) - rank(b)).slice(0, METRICS_PER_LINE);
  const parts = shown.map(({ name, group, index }) => {
    const epoch = group.epochs[index]!;
    const age = epoch === fit.epoch ? "" : ` (epoch ${epoch})`;
    return `${name} ${formatValue(group.values[index]!)}${age}`;
  });
  const more = known.length - shown.length;
  return parts.join(", ") + (more > 0 ? `, and ${more} more in metrics.jsonl` : "");
}

type Rate = ReturnType<typeof createRate>;

/** Epochs per second, smoothed over about the last ten seconds. */
function createRate() {
  let smoothed = Number.NaN;
  let lastTime = 0;
  let lastEpoch = 0;
  const perSecond = (fit: Fit, epochs = fit.epoch): number => {
    const sinceLast = (epochs - lastEpoch) / ((fit.now - lastTime) / 1000);
    return Number.isNaN(smoothed) ? sinceLast : smoothed;
  };
  return {
    start(fit: Fit) {
      lastTime = fit.now;
      lastEpoch = fit.epoch;
    },
    update(fit: Fit) {
      const seconds = (fit.now - lastTime) / 1000;
      if (seconds < 0.05 || fit.epoch === lastEpoch) return;
      const current = (fit.epoch - lastEpoch) / seconds;
      const weight = 1 - Math.exp(-seconds / 10);
      smoothed = Number.isNaN(smoothed)
        ? current
        : smoothed + Math.max(weight, 0.02) * (current - smoothed);
      lastTime = fit.now;
      lastEpoch = fit.epoch;
    },
    perSecond,
    remainingSeconds: (fit: Fit, epochs = fit.epoch): number =>
      (fit.lastEpoch - epochs) / perSecond(fit, epochs),
  };
}
