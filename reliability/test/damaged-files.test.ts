import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { checkReader, type Tally } from "../damage/check-readers.ts";
import * as files from "../damage/files.ts";
import { rounds, seedOfDay } from "../programs/scale.ts";

/** Mutations of each kind of file; 10,000 in all are asked for. */
const EACH = 300 * rounds;
const tallies: Tally[] = [];

describe("a damaged file is refused in one line or was not damaged where it is read", () => {
  it.each(Object.entries(files))("%s", { timeout: 600_000 * rounds }, async (name, make) => {
    const folder = await mkdtemp(join(tmpdir(), `reliability-${name}-`));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    for (const damageable of await make(folder))
      tallies.push(await checkReader(damageable, seedOfDay, EACH));
  });

  it("10,000 times and more, most of them noticed", () => {
    const total = tallies.reduce((sum, one) => sum + one.refused + one.unchanged + one.differs, 0);
    expect(total).toBeGreaterThanOrEqual(10_000);
    for (const { name, refused, isTolerant } of tallies)
      expect(isTolerant ? refused === 0 : refused > EACH / 4, name).toBe(true);
  });
});

afterAll(() => console.table(tallies));
