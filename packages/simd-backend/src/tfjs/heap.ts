import { ALIGNMENT, allocationBytes } from "../memory-layout.ts";

/** Blocks of a stretch of memory that come and go in any order. */
export interface Heap {
  readonly capacity: number;
  /** Bytes of the blocks that are taken. */
  readonly used: number;
  /** Address of `bytes` bytes, a multiple of 64; undefined when no stretch is long enough. */
  allocate(bytes: number): number | undefined;
  /** Gives back a block, with the bytes that it was allocated with. */
  free(pointer: number, bytes: number): void;
  /** The longest block that can be allocated. */
  largestFree(): number;
}

const SLACK = 3;

interface Stretch {
  start: number;
  end: number;
}

/**
 * A training step asks for the same sizes over and over, so a free block waits in a list of its exact size, the
 * latest on top: what is handed out next is what the caches still hold. Merging neighbors takes these lists apart, so
 * it waits until a size is missing and memory never used before is short, or would make more than SLACK times the most
 * bytes that were ever taken at once.
 */
export function createHeap(start: number, capacity: number): Heap {
  const end = start + capacity;
  let waiting = new Map<number, number[]>();
  /** Everything from here on has never been handed out. */
  let fresh = start;
  let used = 0;
  let mostUsed = 0;

  function keep(pointer: number, bytes: number): void {
    const list = waiting.get(bytes);
    if (list === undefined) waiting.set(bytes, [pointer]);
    else list.push(pointer);
  }

  function freeStretches(): Stretch[] {
    const stretches: Stretch[] = [];
    for (const [bytes, list] of waiting) {
      for (const pointer of list) stretches.push({ start: pointer, end: pointer + bytes });
    }
    stretches.sort((a, b) => a.start - b.start);
    const merged: Stretch[] = [];
    for (const stretch of stretches) {
      const last = merged.at(-1);
      if (last?.end === stretch.start) last.end = stretch.end;
      else merged.push(stretch);
    }
    return merged;
  }

  function merge(): void {
    const stretches = freeStretches();
    if (stretches.at(-1)?.end === fresh) fresh = stretches.pop()!.start;
    waiting = new Map();
    for (const stretch of stretches) keep(stretch.start, stretch.end - stretch.start);
  }

  /** The part that is left of the shortest block that is long enough. */
  function split(bytes: number): number | undefined {
    let best = Infinity;
    for (const [size, list] of waiting) {
      if (size >= bytes && size < best && list.length > 0) best = size;
    }
    const pointer = waiting.get(best)?.pop();
    if (pointer !== undefined && best > bytes) keep(pointer + bytes, best - bytes);
    return pointer;
  }

  function extend(bytes: number): number | undefined {
    if (bytes > end - fresh) return undefined;
    const pointer = fresh;
    fresh += bytes;
    return pointer;
  }

  function find(bytes: number): number | undefined {
    const waitingBlock = waiting.get(bytes)?.pop();
    if (waitingBlock !== undefined) return waitingBlock;
    const wasteful = fresh + bytes - start > SLACK * Math.max(mostUsed, used + bytes);
    if (!wasteful && bytes <= end - fresh) return extend(bytes);
    merge();
    return split(bytes) ?? extend(bytes);
  }

  return {
    capacity,
    get used() {
      return used;
    },
    allocate(bytes) {
      const blockBytes = sizeOfBlock(bytes);
      const pointer = find(blockBytes);
      if (pointer === undefined) return undefined;
      used += blockBytes;
      mostUsed = Math.max(mostUsed, used);
      return pointer;
    },
    free(pointer, bytes) {
      const blockBytes = sizeOfBlock(bytes);
      used -= blockBytes;
      keep(pointer, blockBytes);
    },
    largestFree() {
      const stretches = freeStretches();
      const last = stretches.at(-1);
      const beyond = last?.end === fresh ? last.start : fresh;
      return stretches.reduce((most, { start, end }) => Math.max(most, end - start), end - beyond);
    },
  };
}

/** Addresses equal modulo 4096 compete for the same cache sets: long blocks are made to start at different ones. */
function sizeOfBlock(bytes: number): number {
  const rounded = allocationBytes(Math.max(bytes, 1));
  return rounded % 4096 === 0 ? rounded + 5 * ALIGNMENT : rounded;
}
