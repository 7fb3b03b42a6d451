import type { Output } from "./output.ts";
import { formatDuration, formatNumber } from "./quantities.ts";

/** Shows how far a long command is: one line that changes on a terminal, a line each tenth elsewhere. */
export interface ProgressLine {
  update(done: number, total: number): void;
  /** Clears the line of a terminal. */
  end(): void;
}

/** @param what what is counted, for example "images of length 9" */
export function createProgressLine(output: Output, what: string): ProgressLine {
  if (output.quiet) return { update: () => undefined, end: () => undefined };
  const onTerminal = process.stderr.isTTY && !output.verbose;
  const start = performance.now();
  let first: number | undefined;
  let tenth = -1;
  let shown = 0;
  const describe = (done: number, total: number): string => {
    const seconds = (performance.now() - start) / 1000;
    const rate = (done - first!) / seconds;
    const left = rate > 0 ? `, ${formatDuration(((total - done) / rate) * 1000)} left` : "";
    const speed = rate > 0 ? `, ${formatNumber(rate)} a second` : "";
    return `${done} of ${total} ${what}${speed}${done < total ? left : ""}`;
  };
  return {
    update(done, total) {
      first ??= done;
      if (onTerminal) {
        if (performance.now() - shown < 100 && done < total) return;
        shown = performance.now();
        process.stderr.write(`\r${describe(done, total)}\u001b[K`);
      } else if (Math.floor((10 * done) / total) > tenth) {
        tenth = Math.floor((10 * done) / total);
        process.stderr.write(`${describe(done, total)}\n`);
      }
    },
    end() {
      if (onTerminal) process.stderr.write("\r\u001b[K");
    },
  };
}
