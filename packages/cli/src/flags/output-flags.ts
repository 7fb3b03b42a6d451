import { z } from "zod";

/** What every command takes. */
export const outputFlags = z.object({
  json: z
    .boolean()
    .default(false)
    .describe("print the result as JSON on stdout, and nothing else there"),
  quiet: z.boolean().default(false).describe("print as little as possible"),
  verbose: z.boolean().default(false).describe("print more"),
});
