import { z } from "zod";
import type { Callback, Fit } from "../fit/callback.ts";
import { METRIC_SOURCES } from "../fit/metric-values.ts";
import type { RunLog } from "../output/run-log.ts";
import type { MetricHistory } from "../run-folder/metrics-reader.ts";
import { createEventFiles } from "./event-files.ts";
import type { EventFiles } from "./event-files.ts";

export interface TensorboardOptions {
  /** The run folder. */
  readonly folder: string;
  readonly log: Pick<RunLog, "warning">;
  /** Makes the metrics recorded so far readable. */
  readonly flush: () => void;
}

/** The files are at least this much behind, and writing them takes at most a tenth of the time. */
const SHORTEST_PAUSE_MS = 2000;
const PAUSE_FACTOR = 10;

/** From `first_epoch` on, an epoch's time of day is `offset` plus its seconds of training. */
const sessionsSchema = z.array(z.object({ first_epoch: z.number().int(), offset: z.number() }));
type Sessions = z.infer<typeof sessionsSchema>;

/**
 * Keeps TensorBoard's event files up to date with metrics.jsonl, in the background. When a run is resumed
 * (metrics.jsonl has been cut back to the checkpoint), they are written anew with the times that they had.
 */
export function tensorboard({ folder, log, flush }: TensorboardOptions): Callback {
  let sessions: Sessions = [];
  let files: EventFiles | undefined;
  let updateAt = Infinity;
  let pending: Promise<void> | undefined;

  const update = async (): Promise<void> => {
    const startedAt = performance.now();
    try {
      flush();
      await files?.update();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warning(
        `TensorBoard files could not be written: ${reason}; resuming the run writes them anew`,
      );
      files = undefined;
    }
    const now = performance.now();
    updateAt = now + Math.max(SHORTEST_PAUSE_MS, PAUSE_FACTOR * (now - startedAt));
    pending = undefined;
  };
  return {
    async onFitStart(fit: Fit) {
      const offset = Date.now() / 1000 - fit.elapsedSeconds();
      sessions = [
        ...sessions.filter(({ first_epoch }) => first_epoch < fit.firstEpoch),
        { first_epoch: fit.firstEpoch, offset },
      ];
      const infos = METRIC_SOURCES.flatMap((source) => fit.metrics[source].infos);
      files = createEventFiles(folder, infos, (epoch, seconds, history) =>
        wallTime(sessions, epoch, seconds, history),
      );
      await files.restart();
      updateAt = fit.now + SHORTEST_PAUSE_MS;
    },
    onEpochEnd(fit: Fit) {
      if (fit.now < updateAt || pending !== undefined) return;
      updateAt = Infinity;
      pending = update();
    },
    async onFitTermination() {
      await pending;
      await update();
    },
    state: () => sessions,
    restoreState(state) {
      const saved = sessionsSchema.safeParse(state);
      sessions = saved.success ? saved.data : [];
    },
  };
}

/** Epochs before the first session come from the run that this one began from: they end where it begins. */
function wallTime(
  sessions: Sessions,
  epoch: number,
  seconds: number,
  history: MetricHistory,
): number {
  const session = sessions.findLast(({ first_epoch }) => first_epoch <= epoch);
  if (session !== undefined) return session.offset + seconds;
  const first = sessions[0]!;
  const count = history.epochs.findIndex((other) => other >= first.first_epoch);
  const last = history.seconds.at(count < 0 ? -1 : count - 1) ?? 0;
  const before = last - seconds;
  // Imported epochs have no time: they are shown to end there too.
  return Number.isNaN(before) ? first.offset : first.offset - before;
}
