import { listFlags, parseFlags, writeReport } from "@implicit-rank/experiment-kit";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";
import { formatBytes } from "../output/quantities.ts";

const reportFlags = z.object({
  output: z.string().default("report.html").describe("HTML file to write"),
  force: z.boolean().default(false).describe("replace the file if it exists"),
});

export const report: CommandDefinition = {
  description:
    "Writes one self-contained HTML file that shows runs: every group of metrics as an interactive chart, the settings and where they differ, and the final values. It uses no network and can be printed.",
  operands: [
    { name: "run", description: "run folder, or a folder with runs below it", variadic: true },
  ],
  flagGroups: [{ title: "Options", flags: listFlags(reportFlags) }],
  examples: [
    "implicit-rank report outputs/exps/exp_2026_01_31-12_00_00",
    "implicit-rank report outputs/exps --output comparison.html",
  ],
  async run({ flags, operands, output }) {
    const { output: file, force } = parseFlags(reportFlags, flags);
    const written = await writeReport({ paths: operands, output: file, overwrite: force });
    for (const problem of written.problems) output.note(`warning: ${problem}`);
    const { path, bytes, runs } = written;
    const count = runs.length === 1 ? "1 run" : `${runs.length} runs`;
    output.result(
      { report: path, bytes, runs },
      [`${path}: ${count}, ${formatBytes(bytes)}; open it in a browser`],
      path,
    );
    return 0;
  },
};
