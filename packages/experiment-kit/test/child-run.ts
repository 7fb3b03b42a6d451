// A run in a process of its own, to be killed: node child-run.ts run FLAGS_JSON | resume FOLDER
// Not from index.ts: a child that loads only what it needs starts faster.
import { isUserError } from "../src/errors.ts";
import type { Experiment } from "../src/experiment.ts";
import { resumeRun } from "../src/run/resume-run.ts";
import { runExperiment } from "../src/run/run-experiment.ts";
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
