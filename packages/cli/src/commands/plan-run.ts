import { basename, join } from "node:path";
import {
  expandPlan,
  listFlags,
  parseFlags,
  readPlan,
  runSweep,
} from "@implicit-rank/experiment-kit";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";
import { allExperiments } from "../experiments.ts";
import { adjustFlag } from "../sweep/adjust-flag.ts";
import { commandAgain } from "../sweep/command-again.ts";
import { finishSweep } from "../sweep/finish-sweep.ts";
import { progressStream } from "../sweep/progress-stream.ts";
import { checkOutput } from "../sweep/results.ts";
import { poolFlags } from "../sweep/sweep-flags.ts";
import { workerModule } from "../sweep/worker-module.ts";

const planFlags = z.object({
  plan_config_path: z.string().min(1).describe("JSON file of the plan"),
  experiment: z
    .enum(["mf", "cp", "ht", "is-same", "pathfinder"])
    .optional()
    .describe("what the plan trains, if it does not say itself"),
  plan_dir: z
    .string()
    .default("")
    .describe("folder for the state and results (default: outputs/plans/ and the file's name)"),
  ...poolFlags.shape,
  disable_console_log: z.boolean().default(false).describe("print nothing while it runs"),
  save_logs: z
    .boolean()
    .default(false)
    .describe("accepted for old commands: every run has its log, and the plan its results"),
  log_dir: z.string().default("").describe("accepted for old commands: the same as --plan_dir"),
  log_file_name_prefix: z.string().default("plan").describe("accepted for old commands"),
});

export const planRun: CommandDefinition = {
  description:
    "Runs an experiment plan: the configurations of a JSON file, each with several seeds, and gives mean, deviation and best of every configuration. Given again, the command goes on: finished runs are left alone, interrupted ones resumed.",
  flagGroups: [{ title: "Options", flags: listFlags(planFlags) }],
  examples: ["implicit-rank plan run --plan_config_path plan.json --workers 2"],
  async run({ flags, output }) {
    const parsed = parseFlags(planFlags, flags);
    const { plan_config_path: source, experiment } = parsed;
    await checkOutput(parsed);
    const plan = await readPlan(source);
    const tasks = expandPlan(plan, allExperiments(), {
      source,
      adjust: adjustFlag,
      ...(experiment === undefined ? {} : { experiment }),
    });
    const folder =
      parsed.plan_dir || parsed.log_dir || join("outputs", "plans", basename(source, ".json"));
    const title = plan.name === "" ? "Plan" : `Plan ${plan.name}`;
    output.note(`${title}: ${tasks.length} runs, state and results in ${folder}`);
    if (plan.description !== "") output.note(plan.description);
    const stream = parsed.disable_console_log ? undefined : progressStream(output);
    const result = await runSweep(
      { folder, tasks },
      {
        workers: parsed.workers ?? (plan.multiprocess ? plan.num_parallel : 1),
        retry: parsed.retry,
        workerModule,
        ...(stream === undefined ? {} : { stream }),
      },
    );
    const direction = plan.largest === undefined ? {} : { largest: plan.largest };
    const again = commandAgain();
    return finishSweep({ folder, ...result, flags: parsed, again, ...direction }, output);
  },
};
