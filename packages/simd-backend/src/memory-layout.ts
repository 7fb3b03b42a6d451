// The memory of a runtime, from low to high addresses:
//   control words and partial sums | programs | scratch of each thread | arena | padding
// Control words are those of assembly/team.ts.

export const PAGE_BYTES = 65536;
export const LARGEST_MEMORY_BYTES = 65536 * PAGE_BYTES;
export const ALIGNMENT = 64;
/** Word that says that a thread has failed. */
export const FAILED_WORD = 396 / 4;
/** Word on which threads wait for one another. */
export const GENERATION_WORD = 128 / 4;
/** Partial sums have room for this many threads. */
export const LARGEST_THREAD_COUNT = 128;

const CONTROL_BYTES = 8192;
/** assembly/gemm.ts: a tile, a left panel, a packed block of 256 × 256. */
const SCRATCH_BYTES = 256 + 256 * 32 + 256 * 256 * 4 + 256;
/** Kernels read up to 28 bytes past the last row of a matrix. */
const PADDING_BYTES = 64;

/** The bytes that an allocation of `bytes` takes: addresses are multiples of 64. */
export function allocationBytes(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

export interface MemoryLayout {
  readonly programs: number;
  readonly programsEnd: number;
  readonly scratch: readonly number[];
  readonly scratchBytes: number;
  readonly arena: number;
  readonly arenaEnd: number;
  readonly totalBytes: number;
}

export function layOutMemory(
  arenaBytes: number,
  programBytes: number,
  threads: number,
): MemoryLayout {
  const programs = CONTROL_BYTES;
  const programsEnd = programs + allocationBytes(programBytes);
  const scratchBytes = allocationBytes(SCRATCH_BYTES);
  const scratch = Array.from({ length: threads }, (_, index) => programsEnd + index * scratchBytes);
  const arena = programsEnd + threads * scratchBytes;
  const arenaEnd = arena + allocationBytes(arenaBytes);
  const totalBytes = Math.ceil((arenaEnd + PADDING_BYTES) / PAGE_BYTES) * PAGE_BYTES;
  return { programs, programsEnd, scratch, scratchBytes, arena, arenaEnd, totalBytes };
}
