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
