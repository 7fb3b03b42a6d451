import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readTorchFile, type TorchValue } from "@implicit-rank/array-files";
import { isUserError, parseTorchCheckpoint } from "@implicit-rank/experiment-kit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allExperiments } from "../src/experiments.ts";

const fixtures = join(import.meta.dirname, "fixtures", "pytorch");
const problems = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const experiments = allExperiments();

/** What may stand in the place of a part of a checkpoint. */
const strange: readonly TorchValue[] = [
  null,
  true,
  -1,
  0.5,
  2 ** 53,
  2n ** 70n,
  NaN,
  Infinity,
  "",
  "__proto__",
  [],
  [[]],
  [NaN],
  new Map(),
  new Map<string, TorchValue>([["__proto__", new Map([["polluted", 1]])]]),
  { shape: [], data: Float32Array.of(NaN) },
  { shape: [0, 3], data: new Float32Array(0) },
  { shape: [2, 3], data: new Float32Array(6) },
  { shape: [1], data: BigInt64Array.of(3n) },
  { shape: [8, 8], data: new Float64Array(64) },
];

/** A copy in which the part that `steps` lead to is replaced, removed or given another name. */
function changed(
  value: TorchValue,
  steps: readonly number[],
  change: { readonly part: TorchValue; readonly action: "replace" | "remove" | "rename" },
): TorchValue {
  const [step, ...rest] = steps;
  const isEnd = rest.length === 0;
  if (step === undefined) return change.part;
  if (value instanceof Map && value.size > 0) {
    const entries = [...(value as ReadonlyMap<string, TorchValue>)];
    const at = step % entries.length;
    const [key, child] = entries[at]!;
    if (isEnd && change.action === "remove") entries.splice(at, 1);
    else if (isEnd && change.action === "rename") entries[at] = [`${key}.0`, child];
    else entries[at] = [key, changed(child, rest, change)];
    return new Map(entries);
  }
  if (Array.isArray(value) && value.length > 0) {
    const items = [...(value as readonly TorchValue[])];
    const at = step % items.length;
    if (isEnd && change.action === "remove") items.splice(at, 1);
    else items[at] = changed(items[at]!, rest, change);
    return items;
  }
  return change.part;
}

describe.each(problems)("a checkpoint of %s, one part of which is another", async (problem) => {
  const content = await readTorchFile(join(fixtures, problem, "epoch_199.ckpt"));

  it("is refused in one line or imported", () => {
    const change = fc.record({
      part: fc.constantFrom(...strange),
      action: fc.constantFrom("replace" as const, "remove" as const, "rename" as const),
    });
    const steps = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(steps, change, (path, how) => {
        try {
          const parsed = parseTorchCheckpoint(changed(content, path, how), "x.ckpt");
          const checkpoint = { ...parsed, sha256: "" };
          const experiment = experiments.find(({ torch }) => torch?.recognizes(parsed.model));
          const { saved, numParameters } = experiment?.torch?.convert(checkpoint, {}) ?? {};
          const counts = Object.entries(saved?.arrays ?? {})
            .filter(([name]) => !name.startsWith("optimizer."))
            .map(([, { data }]) => data.length);
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(numParameters ?? 0);
        } catch (error) {
          if (!isUserError(error)) throw error;
          expect(error.message).toMatch(/^[^\p{Cc}]+; [^\p{Cc}]+$/u);
          expect(error.message).toMatch(/x\.ckpt/);
        }
        expect("polluted" in {}).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});
