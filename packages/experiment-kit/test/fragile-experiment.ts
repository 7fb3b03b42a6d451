import { existsSync } from "node:fs";
import { z } from "zod";
import type { Experiment } from "../src/index.ts";
import { toyExperiment } from "./toy-experiment.ts";

const toy = toyExperiment as Experiment;

/** The toy experiment, which fails while it is prepared, or takes its process with it. */
export const fragileExperiment: Experiment = {
  ...toy,
  name: "fragile",
  flags: toy.flags.extend({
    fail: z.string().default("").describe("message of an error"),
    fail_unless: z.string().default("").describe("error unless this file exists"),
    die: z.boolean().default(false).describe("end the process"),
  }),
  async prepare(config, context) {
    const {
      fail,
      fail_unless: path,
      die,
    } = config as unknown as {
      fail: string;
      fail_unless: string;
      die: boolean;
    };
    if (die) {
      process.stderr.write("Error: out of luck\n");
      process.kill(process.pid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    }
    if (fail !== "") throw new Error(fail);
    if (path !== "" && !existsSync(path)) throw new Error(`${path} is not there`);
    return toy.prepare(config as never, context);
  },
};
