import type { OutputStream } from "@implicit-rank/experiment-kit";
import type { Output } from "../output/output.ts";

/** Progress goes where notes go: the result alone is on stdout. --verbose keeps lines on a terminal too. */
export function progressStream(output: Output): OutputStream | undefined {
  if (output.quiet) return undefined;
  const { stderr } = process;
  return output.verbose ? { write: (text) => stderr.write(text) } : stderr;
}
