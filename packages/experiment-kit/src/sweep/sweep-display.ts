import type { OutputStream } from "../output/console.ts";
import { formatDuration, formatValue } from "../output/format.ts";
import type { TaskReport } from "./run-task.ts";
import { taskName } from "./sweep-file.ts";
import type { SweepProgress } from "./sweep-progress.ts";
import type { SweepTask } from "./sweep-task.ts";

/** Shows how a sweep goes on. */
export interface SweepDisplay {
  ended(task: SweepTask, report: TaskReport): void;
  note(line: string): void;
  close(): void;
}

/** On a terminal a table that is redrawn in place, else a line for each run that ended. */
export function createSweepDisplay(
  stream: OutputStream | undefined,
  progress: SweepProgress,
): SweepDisplay {
  if (stream === undefined)
    return { ended: () => undefined, note: () => undefined, close: () => undefined };
  return stream.isTTY === true ? liveTable(stream, progress) : plainLines(stream, progress);
}

function plainLines(stream: OutputStream, progress: SweepProgress): SweepDisplay {
  return {
    ended(task, report) {
      const { done, failed, diverged, total } = progress.counts();
      const position = `[${done + failed + diverged}/${total}]`;
      const eta = `ETA ${formatDuration(progress.remainingSeconds())}`;
      stream.write(`${position} ${describeEnd(task, report)}  ${eta}\n`);
    },
    note: (line) => void stream.write(`${line}\n`),
    close: () => undefined,
  };
}

const REDRAW_MS = 200;
const MOST_ROWS = 16;

function liveTable(stream: OutputStream, progress: SweepProgress): SweepDisplay {
  let drawn = 0;
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\r\u001b[J`);
  const draw = (): void => {
    const width = Math.max(20, (stream.columns || 80) - 1);
    const lines = tableLines(progress).map((line) => line.slice(0, width));
    stream.write(`${erase()}${lines.join("\n")}\n`);
    drawn = lines.length;
  };
  const above = (line: string): void => {
    stream.write(`${erase()}${line}\n`);
    drawn = 0;
    draw();
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  draw();
  return {
    // Finished runs only move the count; what went wrong stays to be read.
    ended(task, report) {
      if (report.state === "finished") return;
      above(describeEnd(task, report));
    },
    note: above,
    close() {
      clearInterval(timer);
      draw();
    },
  };
}

/** The counts, and a row for each run that goes on. */
export function tableLines(progress: SweepProgress): readonly string[] {
  const { total, done, running, failed, diverged, waiting } = progress.counts();
  const eta = formatDuration(progress.remainingSeconds());
  const head = [
    `${done}/${total} done`,
    `${running} running`,
    `${waiting} waiting`,
    `${failed} failed`,
    ...(diverged > 0 ? [`${diverged} diverged`] : []),
    `ETA ${eta}`,
  ].join("   ");
  const active = progress.running();
  const width = Math.max(0, ...active.map(({ task }) => taskName(task).length));
  const rows = active.slice(0, MOST_ROWS).map(({ task, seconds, progress: epochs }) => {
    const share = epochs === undefined ? "starting" : `${epochs.done}/${epochs.planned} epochs`;
    return `  ${taskName(task).padEnd(width)}  ${share.padStart(14)}  ${formatDuration(seconds)}`;
  });
  return active.length > MOST_ROWS ? [head, ...rows, "  …"] : [head, ...rows];
}

function describeEnd(task: SweepTask, report: TaskReport): string {
  const name = taskName(task);
  if (report.state === "failed")
    return `failed    ${name}: ${report.message?.split("\n", 1)[0] ?? "unknown reason"}`;
  if (report.state === "interrupted") return `paused    ${name}`;
  const score =
    report.score === undefined || report.score === null ? "none" : formatValue(report.score);
  return `${report.state.padEnd(9)} ${name}  ${report.scoreName ?? "score"} ${score}  ${formatDuration(report.seconds ?? 0)}`;
}
