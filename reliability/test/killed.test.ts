import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { killables } from "../kill/killable.ts";
import { killRepeatedly, type KillTally } from "../kill/kill-repeatedly.ts";
import { rounds, seedOfDay } from "../programs/scale.ts";

const scratch = await realpath(await mkdtemp(join(tmpdir(), "reliability-kills-")));
afterAll(() => rm(scratch, { recursive: true, force: true }));
const tallies: KillTally[] = [];
afterAll(() => console.table(tallies));

describe("kill -9 at random moments: nothing half-written, and the same bits in the end", () => {
  it.concurrent.each(killables)("$name", { timeout: 900_000 * rounds }, async (work) => {
    const folder = join(scratch, work.name.replaceAll(" ", "-"));
    tallies.push(await killRepeatedly(work, work.kills * rounds, seedOfDay, folder));
  });

  it("100 times in all", () => {
    expect(tallies.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThanOrEqual(100 * rounds);
  });
});
