import type { SharedFlags } from "../flags/shared-flags.ts";
import { createConsole } from "../output/console.ts";
import type { RunConsole } from "../output/console.ts";
import { createRunLog } from "../output/run-log.ts";
import type { RunLog } from "../output/run-log.ts";
import type { RunOptions } from "./run-options.ts";

/** Where a run reports to. */
export function openOutput(
  flags: SharedFlags,
  options: RunOptions,
): { readonly console: RunConsole; readonly log: RunLog } {
  const mode = options.output ?? (flags.disable_console_log ? "quiet" : "text");
  const console = createConsole(mode, options.stdout ?? process.stdout);
  return { console, log: createRunLog(console, options.verbose) };
}
