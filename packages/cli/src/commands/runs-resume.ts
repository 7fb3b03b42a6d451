import { listFlags, parseFlags, resumeRun } from "@implicit-rank/experiment-kit";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";
import { allExperiments } from "../experiments.ts";
import { reportRun, runOptions } from "./report-run.ts";

const resumeFlags = z.object({
  epochs: z
    .int()
    .min(1)
    .optional()
    .describe("train to this many epochs in all; extends a completed run too"),
});

export const runsResume: CommandDefinition = {
  description:
    "Goes on with a run that was interrupted or killed, from its last good checkpoint. The result has the same bits as that of a run without interruption.",
  operands: [{ name: "folder", description: "folder of the run" }],
  flagGroups: [{ title: "Options", flags: listFlags(resumeFlags) }],
  examples: ["implicit-rank runs resume outputs/exps/exp_2026_01_31-12_00_00"],
  async run({ flags, operands, output }) {
    const { epochs } = parseFlags(resumeFlags, flags);
    const options = { ...runOptions(output), ...(epochs === undefined ? {} : { epochs }) };
    return reportRun(await resumeRun(operands[0]!, allExperiments(), options), output);
  },
};
