import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { failEachWrite, type FailureTally } from "../writes/fail-each.ts";
import { writingCommands } from "../writes/writing-commands.ts";
import { rounds } from "../programs/scale.ts";

const folder = await realpath(await mkdtemp(join(tmpdir(), "reliability-writes-")));
afterAll(() => rm(folder, { recursive: true, force: true }));
const tallies: FailureTally[] = [];
afterAll(() => console.table(tallies));

/** One code for each call in turn; in a long run every code for every call. */
const codes = ["ENOSPC", "EIO", "EROFS"] as const;
const orders = rounds === 1 ? [codes] : codes.map((code) => [code]);

describe("each write fails once: one line, nothing half-written, and it goes on afterwards", async () => {
  const commands = await writingCommands(folder);
  it.each(commands)("$name", { timeout: 600_000 }, async (command) => {
    const scratch = await mkdtemp(join(folder, "scratch-"));
    for (const order of orders) {
      const { tally, problems } = await failEachWrite(command, scratch, order);
      expect(problems.join("\n")).toBe("");
      expect(tally.failures).toBeGreaterThan(3);
      tallies.push(tally);
    }
  });
});
