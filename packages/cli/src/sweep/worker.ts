import { serveTasks } from "@implicit-rank/experiment-kit";
import { allExperiments } from "../experiments.ts";

/** The program of a sweep's worker processes. */
serveTasks(allExperiments(1));
