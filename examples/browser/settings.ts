import { maximalCpComponents } from "@implicit-rank/tensor-factorization";

/** What the page lets one choose; the names are those of the form's fields. */
export interface Settings {
  readonly order: number;
  readonly modeSize: number;
  readonly rank: number;
  readonly components: number;
  readonly initialScale: number;
  readonly learningRate: number;
  /** Percent of the entries that are observed. */
  readonly observed: number;
  readonly seed: number;
}

export const defaultSettings: Settings = {
  order: 3,
  modeSize: 12,
  rank: 4,
  components: 40,
  initialScale: 0.01,
  learningRate: 0.01,
  observed: 40,
  seed: 1,
};

/** A tensor of order 5 and mode size 8 has 32,768 entries. */
const mostEntries = 40_000;

/** Why these settings cannot be trained, in a sentence for the reader, or undefined. */
export function problemWith(settings: Settings): string | undefined {
  const { order, modeSize, components, observed } = settings;
  const entries = modeSize ** order;
  if (entries > mostEntries)
    return `A tensor of order ${order} and size ${modeSize} has ${entries.toLocaleString("en")} entries; ${mostEntries.toLocaleString("en")} are the most here. Choose a smaller order or size.`;
  const enough = maximalCpComponents(Array(order).fill(modeSize));
  if (components > enough)
    return `${enough} components are enough for every tensor of order ${order} and size ${modeSize}; choose at most as many.`;
  if (Math.round((entries * observed) / 100) < 1)
    return `${observed}% of ${entries} entries is less than one; observe more.`;
  return undefined;
}
