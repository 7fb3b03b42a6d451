import type { CommandDefinition } from "../command.ts";
import { showStatus } from "../sweep/show-status.ts";

export const sweepStatus: CommandDefinition = {
  description:
    "Shows how far a sweep or plan is: the state of every run in its folder and, if it was submitted, in Slurm.",
  operands: [{ name: "folder", description: "folder of the sweep" }],
  flagGroups: [],
  examples: ["implicit-rank sweep status outputs/sweeps/mf"],
  run: ({ operands, output }) => showStatus(operands[0]!, output),
};
