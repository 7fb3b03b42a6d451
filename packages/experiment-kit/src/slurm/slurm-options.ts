import { MisuseError } from "../errors.ts";

/** What a job asks of Slurm; what is absent is left to the cluster's defaults. */
export interface SlurmOptions {
  readonly partition?: string | undefined;
  /** `minutes`, `hours:minutes:seconds`, `days-hours`, … */
  readonly time?: string | undefined;
  readonly cpusPerTask?: number | undefined;
  /** `2G`, `500M` */
  readonly mem?: string | undefined;
  /** The most runs at once. */
  readonly arrayLimit?: number | undefined;
  /** Further options of sbatch: `account=lab`, `--qos=long`. */
  readonly extra?: readonly string[] | undefined;
}

/** The lines of `#SBATCH` for them. */
export function sbatchLines(options: SlurmOptions): readonly string[] {
  const { partition, time, cpusPerTask = 1, mem, extra = [] } = options;
  const lines = [
    ...(partition === undefined ? [] : [`--partition=${checked("slurm_partition", partition)}`]),
    ...(time === undefined ? [] : [`--time=${checked("slurm_time", time)}`]),
    `--cpus-per-task=${cpusPerTask}`,
    ...(mem === undefined ? [] : [`--mem=${checked("slurm_mem", mem)}`]),
    // A minute before the limit, so that the run can save a checkpoint.
    ...(time === undefined ? [] : ["--signal=B:TERM@60"]),
    ...extra.map((option) => `--${checkedExtra(option).replace(/^--?/, "")}`),
  ];
  return lines.map((line) => `#SBATCH ${line}`);
}

function checked(flag: string, value: string): string {
  if (/^[\w.,:+-]+$/.test(value)) return value;
  throw new MisuseError(`--${flag}: must be one word (got ${JSON.stringify(value)})`);
}

const OURS = ["array", "output", "error", "job-name", "requeue", "no-requeue", "open-mode", "wrap"];

function checkedExtra(option: string): string {
  if (/[\n\r#]/.test(option) || option.trim() === "")
    throw new MisuseError(
      `--slurm_extra: must be one option of sbatch (got ${JSON.stringify(option)})`,
    );
  const name = option.replace(/^--?/, "").split(/[= ]/, 1)[0]!;
  if (OURS.includes(name)) throw new MisuseError(`--slurm_extra: --${name} is set by the sweep`);
  return option.trim();
}
