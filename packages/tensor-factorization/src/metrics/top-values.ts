/** Writes the `k` largest of the first `count` values, descending, to out[at …]. */
export function topValues(
  values: Float64Array,
  count: number,
  k: number,
  out: Float64Array,
  at: number,
): void {
  if (k === 0) return;
  out.fill(-Infinity, at, at + k);
  for (let i = 0; i < count; i++) {
    const value = values[i];
    if (value <= out[at + k - 1]) continue;
    let place = at + k - 1;
    while (place > at && !(out[place - 1] >= value)) {
      out[place] = out[place - 1];
      place -= 1;
    }
    out[place] = value;
  }
}
