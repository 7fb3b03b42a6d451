import { MisuseError } from "../errors.ts";

/** More runs than this are a slip of the hand; a list of them would fill the memory. */
const MOST_RUNS = 100_000;

/**
 * Refuses more runs than anybody wants, before they are listed.
 *
 * @param place what asks for them, in front of the message.
 * @throws MisuseError
 */
export function refuseTooMany(counts: readonly number[], place: string): void {
  const runs = counts.reduce((product, count) => product * count, 1);
  if (runs > MOST_RUNS)
    throw new MisuseError(
      `${place}: ${runs} runs, at most ${MOST_RUNS} at once; give fewer values`,
    );
}

/**
 * All combinations of alternatives by name; the last name varies fastest.
 *
 * @example cartesianProduct([["a", [1, 2]], ["b", [3, 4]]]) // a1 b3, a1 b4, a2 b3, a2 b4
 */
export function cartesianProduct(
  alternatives: readonly (readonly [name: string, values: readonly unknown[]])[],
): readonly Readonly<Record<string, unknown>>[] {
  return alternatives.reduce<readonly Readonly<Record<string, unknown>>[]>(
    (points, [name, values]) =>
      points.flatMap((point) => values.map((value) => ({ ...point, [name]: value }))),
    [{}],
  );
}
