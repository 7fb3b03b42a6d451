/** Where buffers are reserved: a kernel runtime, or a count of the bytes that one will need. */
export interface Arena {
  /** Returns the pointer to `bytes` bytes, aligned to 64. `label` names them when memory runs out. */
  allocate(bytes: number, label: string): number;
}

/** An arena that only counts: a first pass over the buffers tells how large the real one must be. */
export function countingArena(): Arena & { readonly bytes: () => number } {
  let used = 0;
  return {
    allocate(bytes) {
      const pointer = used;
      used += Math.ceil(bytes / 64) * 64;
      return pointer;
    },
    bytes: () => used,
  };
}

export function reserveFloats(arena: Arena, label: string, count: number): number {
  return arena.allocate(4 * count, label);
}

export function reserveInts(arena: Arena, label: string, count: number): number {
  return arena.allocate(4 * count, label);
}

export function reserveDoubles(arena: Arena, label: string, count: number): number {
  return arena.allocate(8 * count, label);
}
