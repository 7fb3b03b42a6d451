/** Number of slots of the hash table that `distinctTuples` needs for `samples` tuples. */
export function hashTableSize(samples: number): number {
  let size = 16;
  while (size < 2 * samples) size *= 2;
  return size;
}

/**
 * Numbers the distinct tuples (columns[0][s], columns[1][s], …), s < samples, in the order of their
 * first occurrence.
 *
 * Writes the number of sample s to `rowOf[s]` and the tuple of row r to `index[c][r]`; returns how
 * many there are. `table` has `hashTableSize(samples)` slots and is scratch space. Allocates nothing.
 */
export function distinctTuples(
  columns: readonly Int32Array[],
  samples: number,
  index: readonly Int32Array[],
  rowOf: Int32Array,
  table: Int32Array,
): number {
  const mask = hashTableSize(samples) - 1;
  table.fill(-1, 0, mask + 1);
  let count = 0;
  for (let s = 0; s < samples; s++) {
    let slot = hashTuple(columns, s) & mask;
    while (table[slot] >= 0 && !sameTuple(columns, s, index, table[slot])) slot = (slot + 1) & mask;
    let row = table[slot];
    if (row < 0) {
      row = count++;
      table[slot] = row;
      for (let c = 0; c < columns.length; c++) index[c][row] = columns[c][s];
    }
    rowOf[s] = row;
  }
  return count;
}

function hashTuple(columns: readonly Int32Array[], sample: number): number {
  let hash = 0x9e3779b9;
  for (let c = 0; c < columns.length; c++) {
    hash = Math.imul(hash ^ columns[c][sample], 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash;
}

function sameTuple(
  columns: readonly Int32Array[],
  sample: number,
  index: readonly Int32Array[],
  row: number,
): boolean {
  for (let c = 0; c < columns.length; c++) if (columns[c][sample] !== index[c][row]) return false;
  return true;
}

/** Lists every tuple of rows below `sizes` in row-major order (the last child runs fastest). */
export function allTuples(sizes: readonly number[], index: readonly Int32Array[]): number {
  const count = sizes.reduce((product, size) => product * size, 1);
  let repeat = 1;
  for (let c = sizes.length - 1; c >= 0; c--) {
    for (let row = 0; row < count; row++) index[c][row] = Math.floor(row / repeat) % sizes[c];
    repeat *= sizes[c];
  }
  return count;
}

/**
 * Inverts `index` by counting: afterwards `list[start[q]] … list[start[q + 1] - 1]` are, in ascending
 * order, the positions where `index` is `q`. `start` has `size + 1` entries.
 */
export function invertIndex(
  index: Int32Array,
  count: number,
  size: number,
  start: Int32Array,
  list: Int32Array,
): void {
  start.fill(0, 0, size + 1);
  for (let i = 0; i < count; i++) start[index[i] + 1]++;
  for (let q = 0; q < size; q++) start[q + 1] += start[q];
  // Filling from the back leaves `start` correct and every list ascending.
  for (let i = count - 1; i >= 0; i--) list[--start[index[i] + 1]] = i;
  shiftLeft(start, size, count);
}

/** After the fill every end has moved to its begin, one place to the right of where it belongs. */
function shiftLeft(start: Int32Array, size: number, count: number): void {
  for (let q = 0; q < size; q++) start[q] = start[q + 1];
  start[size] = count;
}
