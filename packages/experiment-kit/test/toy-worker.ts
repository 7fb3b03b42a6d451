// A worker process of the sweeps in tests.
import type { Experiment } from "../src/index.ts";
import { serveTasks } from "../src/index.ts";
import { fragileExperiment } from "./fragile-experiment.ts";
import { toyExperiment } from "./toy-experiment.ts";

serveTasks([toyExperiment as Experiment, fragileExperiment]);
