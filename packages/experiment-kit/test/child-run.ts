// A run in a process of its own, to be killed: node child-run.ts run FLAGS_JSON | resume FOLDER
import { isUserError, resumeRun, runExperiment } from "../src/index.ts";
import type { Experiment } from "../src/index.ts";
import { toyExperiment } from "./toy-experiment.ts";

const [command, argument = ""] = process.argv.slice(2);
const experiment = toyExperiment as Experiment;
try {
  const { exitCode } =
    command === "resume"
      ? await resumeRun(argument, [experiment], { output: "json" })
      : await runExperiment(experiment, JSON.parse(argument) as Record<string, unknown>, {
          output: "json",
        });
  process.exitCode = exitCode;
} catch (error) {
  if (!isUserError(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
