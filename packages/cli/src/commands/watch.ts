import { listFlags, parseFlags, watchRuns } from "@implicit-rank/experiment-kit";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";

const watchFlags = z.object({
  port: z.int().min(0).max(65_535).default(0).describe("port of the page; 0: any free one"),
  open: z.boolean().default(false).describe("open the page in the browser"),
});

export const watch: CommandDefinition = {
  description:
    "Serves a live page of runs to this machine only. It follows runs that go on, end, are resumed or begin in the folder, until Ctrl-C ends it (exit code 0: nothing is interrupted but the watching).",
  operands: [
    { name: "run", description: "run folder, or a folder with runs below it, also runs to come" },
  ],
  flagGroups: [{ title: "Options", flags: listFlags(watchFlags) }],
  examples: ["implicit-rank watch outputs/exps --open"],
  async run({ flags, operands, output }) {
    const { port, open } = parseFlags(watchFlags, flags);
    const ended = signalToEnd();
    const page = await watchRuns({ path: operands[0]!, port });
    output.result({ url: page.url }, [page.url], page.url);
    output.note(`Watching ${operands[0]!}; Ctrl-C ends it.`);
    if (open) await openBrowser(page.url, output.note);
    await ended;
    await page.close();
    return 0;
  },
};

/** Resolves at the first signal; a second one ends the program at once. */
function signalToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => resolve());
  });
}

async function openBrowser(url: string, note: (line: string) => void): Promise<void> {
  try {
    const { default: open } = await import("open");
    const browser = await open(url);
    browser.on("error", () => note(`No browser could be started; open ${url} yourself.`));
  } catch {
    note(`No browser could be started; open ${url} yourself.`);
  }
}
