/** How a run stands; see `RunStatus`. */
export type ReportState =
  | "running"
  | "completed"
  | "stopped"
  | "diverged"
  | "interrupted"
  | "failed"
  | "imported"
  | "killed"
  | "damaged";

/** A value and the epoch (0-based) it was recorded at; null and -1 if there is none. */
export interface RecordedValue {
  readonly value: number | null;
  readonly epoch: number;
}

/** One metric of a run with its last and extreme values; metrics of one tag share a chart. */
export interface ReportMetric {
  readonly name: string;
  readonly tag: string;
  readonly last: RecordedValue;
  readonly lowest: RecordedValue;
  readonly highest: RecordedValue;
}

/** What changes while a run goes on. */
export interface RunProgress {
  /** Unique among the runs of a page and stable while it is watched. */
  readonly key: string;
  readonly name: string;
  readonly state: ReportState;
  /** Why training stopped or what is wrong with the run; empty while it goes on. */
  readonly reason: string;
  readonly lastScore: RecordedValue;
  readonly bestScore: RecordedValue;
  /** Last epoch so far, -1 if there is none. */
  readonly lastEpoch: number;
  /** Seconds of training; null if they are not known. */
  readonly seconds: number | null;
}

/** What the page shows of a run, besides its curves. */
export interface ReportRun extends RunProgress {
  readonly experiment: string;
  /** ISO time. */
  readonly created: string;
  readonly score: { readonly metric: string; readonly largest: boolean };
  readonly firstEpoch: number;
  readonly plannedLastEpoch: number;
  readonly parameters: number;
  /** Null if it is not known. */
  readonly seed: number | null;
  /** Flags, as texts by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** Versions, machine, data hash. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the experiment says of itself (data set size, rank of the target, …). */
  readonly facts: Readonly<Record<string, string>>;
  readonly metrics: readonly ReportMetric[];
}

/** The curve of one metric: values at increasing epochs; NaN is a gap. */
export interface Curve {
  readonly epochs: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** The content of a report: the runs, and the length in bytes of each one's encoded curves. */
export interface ReportContent {
  readonly title: string;
  /** ISO time. */
  readonly written: string;
  readonly runs: readonly ReportRun[];
  readonly curveBytes: readonly number[];
}

/** Messages of the live page's event stream, by event name. */
export interface LiveMessages {
  /** First on every connection; runs that are not named are gone. */
  readonly hello: {
    readonly page: string;
    readonly title: string;
    readonly keys: readonly string[];
  };
  /** A new run, or one that begins anew: `curves` (base64) replaces what was known. */
  readonly run: { readonly run: ReportRun; readonly curves: string };
  /** New state and values of a known run; `points` has epochs and values by the metric's number. */
  readonly points: {
    readonly run: RunProgress;
    readonly points: Readonly<
      Record<string, readonly [epochs: readonly number[], values: readonly (number | null)[]]>
    >;
  };
  readonly gone: { readonly key: string };
  /** The program ends. */
  readonly bye: Readonly<Record<string, never>>;
}
