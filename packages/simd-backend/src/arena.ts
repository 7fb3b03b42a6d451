import { ArenaExhaustedError, KernelArgumentError } from "./errors.ts";
import { allocationBytes } from "./memory-layout.ts";

/** A stretch of memory handed out from its start on, released back to a mark. */
export interface Arena {
  readonly capacity: number;
  readonly used: number;
  allocate(bytes: number, label?: string): number;
  mark(): number;
  release(mark: number): void;
}

export function createArena(start: number, end: number): Arena {
  let next = start;
  return {
    capacity: end - start,
    get used() {
      return next - start;
    },
    allocate(bytes, label = "an allocation") {
      if (!Number.isSafeInteger(bytes) || bytes < 0) {
        throw new KernelArgumentError(
          `allocate: bytes is ${bytes}; give a non-negative whole number`,
        );
      }
      const needed = allocationBytes(bytes);
      if (needed > end - next) throw new ArenaExhaustedError(label, needed, end - next);
      const pointer = next;
      next += needed;
      return pointer;
    },
    mark: () => next,
    release(mark) {
      if (mark < start || mark > next) {
        throw new KernelArgumentError(
          `release: ${mark} is no mark of this runtime; give what mark() returned`,
        );
      }
      next = mark;
    },
  };
}
