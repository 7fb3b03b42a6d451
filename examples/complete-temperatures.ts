/**
 * Completes a real tensor from a part of its entries, and compares with simpler guesses.
 *
 *   node examples/complete-temperatures.ts
 *
 * The data: the normal temperature in Seattle (degrees Celsius, averages over 1981 to 2010) as a tensor of 12 months × 28
 * days × 24 hours. Source: hourly climate normals of NOAA's National Climatic Data Center, public domain, as the npm
 * package vega-datasets ships them.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createRandom } from "@implicit-rank/random";
import {
  compileFused,
  componentNorms,
  cpSpec,
  createFactorization,
  type FactorizationSpec,
  groupRmsProp,
  hierarchicalSpec,
  initializeNormal,
} from "@implicit-rank/tensor-factorization";

const modeSizes = [12, 28, 24] as const;
const [months, days, hours] = modeSizes;
const entries = months * days * hours;

/** All temperatures, row-major; NaN for the first hour of January 1, which the file lacks. */
function loadTemperatures(): Float64Array {
  // The package keeps its data beside its code, but exports only the code.
  const code = createRequire(import.meta.url).resolve("vega-datasets");
  const file = join(code, "../../data/seattle-weather-hourly-normals.csv");
  const values = new Float64Array(entries).fill(NaN);
  for (const line of readFileSync(file, "utf8").trim().split("\n").slice(1)) {
    // date, pressure, temperature, wind: 2010-01-01T01:00:00,1016.6,4.0,3.8
    const [date, , temperature] = line.split(",");
    const [month, day, hour] = date!.split(/\D/).slice(1).map(Number) as [number, number, number];
    if (day <= days) values[((month - 1) * days + day - 1) * hours + hour] = Number(temperature);
  }
  return values;
}

const temperatures = loadTemperatures();
const tupleOf = (entry: number): [number, number, number] => [
  Math.floor(entry / (days * hours)),
  Math.floor(entry / hours) % days,
  entry % hours,
];
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

type Guess = (entry: number) => number;

/** Mean + an effect of the month + one of the day + one of the hour, by least squares. */
function sumOfEffects(seen: readonly number[], valueOf: Guess): Guess {
  const center = mean(seen.map(valueOf));
  const effects = modeSizes.map((size) => new Float64Array(size));
  const guess: Guess = (entry) =>
    tupleOf(entry).reduce((sum, index, mode) => sum + effects[mode]![index]!, center);
  for (let round = 0; round < 20; round++)
    effects.forEach((effect, mode) => {
      const residuals = Array.from(effect, (): number[] => []);
      for (const entry of seen)
        residuals[tupleOf(entry)[mode]!]!.push(valueOf(entry) - guess(entry));
      residuals.forEach((own, index) => (effect[index]! += own.length > 0 ? mean(own) : 0));
    });
  return guess;
}

/** The same with factors instead of summands. */
function productOfEffects(seen: readonly number[]): Guess {
  const logarithms = sumOfEffects(seen, (entry) => Math.log(temperatures[entry]!));
  return (entry) => Math.exp(logarithms(entry));
}

/** A straight line between the nearest days whose same hour is known. It knows that days have an order. */
function lineOverDays(seen: readonly number[]): Guess {
  const known = new Set(seen);
  const nearest = (entry: number, step: number): number => {
    while (entry >= 0 && entry < entries && !known.has(entry)) entry += step;
    return entry;
  };
  return (entry) => {
    const [before, after] = [nearest(entry, -hours), nearest(entry, hours)];
    if (before < 0) return temperatures[after]!;
    if (after >= entries || after === before) return temperatures[before]!;
    const share = (entry - before) / (after - before);
    return (1 - share) * temperatures[before]! + share * temperatures[after]!;
  };
}

/**
 * A factorization that could fit anything, trained from a small start on nine tenths of what is seen. The last tenth
 * tells which step was the best: real data have no exact rank, and what grows last is noise.
 */
async function factorization(
  spec: FactorizationSpec,
  std: number,
  seen: readonly number[],
  onProgress: (step: number, guess: Guess, norms: Float64Array) => void = () => undefined,
): Promise<Guess> {
  const scale = Math.sqrt(mean(seen.map((entry) => temperatures[entry]! ** 2)));
  const observe = (chosen: readonly number[]) => ({
    task: "completion" as const,
    indices: Int32Array.from(chosen.flatMap(tupleOf)),
    targets: Float32Array.from(chosen, (entry) => temperatures[entry]! / scale),
    samples: chosen.length,
  });
  const cut = Math.round(0.9 * seen.length);
  const validation = observe(seen.slice(cut));
  const model = createFactorization(spec);
  initializeNormal(model, createRandom(1), { std });
  const training = await compileFused(
    model,
    observe(seen.slice(0, cut)),
    { kind: "l2" },
    groupRmsProp({ lr: 0.005 }),
    { validation },
  );
  const evaluation = training.evaluation!;
  const readGuess = (): Guess => {
    const tensor = evaluation.tensor()!.slice();
    return (entry) => scale * tensor[entry]!;
  };
  let best: { readonly error: number; readonly guess: Guess } = { error: Infinity, guess: () => 0 };
  for (let step = 0; step <= 8000; step++) {
    if (step % 100 === 0) {
      evaluation.run();
      const predictions = evaluation.predictions();
      const squares = Array.from(predictions, (value, s) => (value - validation.targets[s]!) ** 2);
      if (mean(squares) < best.error) best = { error: mean(squares), guess: readGuess() };
      if (step % 800 === 0 && spec.kind === "cp")
        onProgress(step, readGuess(), componentNorms({ ...training.factorization, spec }));
    }
    training.step();
  }
  training.dispose();
  return best.guess;
}

/** Seen and hidden entries, drawn at random. */
function drawEntries(hiddenShare: number, seed: number): { seen: number[]; hidden: number[] } {
  const drawn = [...createRandom(seed).sampleWithoutReplacement(entries, entries)];
  const known = drawn.filter((entry) => !Number.isNaN(temperatures[entry]));
  const cut = Math.round((1 - hiddenShare) * known.length);
  return { seen: known.slice(0, cut), hidden: known.slice(cut) };
}

const errorAt = (chosen: readonly number[], guess: Guess): number =>
  Math.sqrt(mean(chosen.map((entry) => (guess(entry) - temperatures[entry]!) ** 2)));

const cp = cpSpec({ modeSizes, components: 40 });
const hierarchical = hierarchicalSpec({ modeSizes, widths: [24, 24] });
const methods: Readonly<Record<string, (seen: readonly number[]) => Guess | Promise<Guess>>> = {
  "sum of effects": (seen) => sumOfEffects(seen, (entry) => temperatures[entry]!),
  "product of effects": productOfEffects,
  "line over days": lineOverDays,
  CP: (seen) => factorization(cp, 0.03, seen),
  "hierarchical (HT)": (seen) => factorization(hierarchical, 0.1, seen),
};

const draws = [1, 2, 3];
console.log(`Root mean squared error at hidden entries in °C, mean of ${draws.length} draws`);
const shares = [0.7, 0.9];
console.log(["hidden".padEnd(18), ...shares.map((share) => `  ${100 * share}%`)].join(" "));
for (const [name, method] of Object.entries(methods)) {
  const cells: string[] = [];
  for (const share of shares) {
    const errors: number[] = [];
    for (const draw of draws) {
      const { seen, hidden } = drawEntries(share, draw);
      errors.push(errorAt(hidden, await method(seen)));
    }
    cells.push(mean(errors).toFixed(2).padStart(5));
  }
  console.log([name.padEnd(18), ...cells].join(" "));
}

console.log("\nCP, 90% hidden: error at hidden entries, and the largest of 40 component norms");
const { seen, hidden } = drawEntries(0.9, 1);
await factorization(cp, 0.03, seen, (step, guess, norms) => {
  const largest = [...norms].sort((a, b) => b - a).slice(0, 6);
  const shown = largest.map((norm) => norm.toFixed(2).padStart(7)).join("");
  console.log(`step ${String(step).padStart(4)}: ${errorAt(hidden, guess).toFixed(2)} |${shown}`);
});
