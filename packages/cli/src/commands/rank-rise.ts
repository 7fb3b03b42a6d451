/** How one of several numbered metrics grew. */
export interface Riser {
  readonly name: string;
  readonly end: number;
  /** The first epoch at which it is above half of its end value; undefined if it stayed near zero. */
  readonly epoch: number | undefined;
}

interface Series {
  readonly epochs: Int32Array;
  readonly values: Float64Array;
}

const most = 5;

/** What ends below this share of the largest has not risen. */
const negligible = 0.05;

/** The largest few of a numbered family of metrics and when each rose. */
export function summarizeRise(
  series: ReadonlyMap<string, Series>,
  nameOf: (index: number) => string,
): readonly Riser[] {
  const family = Array.from({ length: most }, (_, index) => nameOf(index));
  const found = family.flatMap((name) => {
    const values = series.get(name);
    return values === undefined || values.values.length === 0 ? [] : [{ name, ...values }];
  });
  const largest = Math.max(0, ...found.map(({ values }) => values.at(-1)!));
  return found.map(({ name, epochs, values }) => {
    const end = values.at(-1)!;
    const half = values.findIndex((value) => value > end / 2);
    return { name, end, epoch: end < negligible * largest ? undefined : epochs[half] };
  });
}
