import type { KernelRuntime, Program, ProgramBuilder } from "@implicit-rank/simd-backend";
import type { Loss } from "../../loss/loss.ts";
import type { Observations } from "../engine.ts";

/** A recorded program that computes the loss and the gradient of all parameters. */
export interface FitProgram {
  /** Chooses the samples of the following runs, those of `batch` or all; returns how many. */
  select(batch: Int32Array | undefined): number;
  /** Computes loss and gradient at the current parameters. */
  run(): void;
}

/** Pointers that every fit program shares. */
export interface FitPointers {
  /** The flat parameter vector and its gradient. */
  readonly values: number;
  readonly gradient: number;
  readonly targets: number;
  /** Numbers of the selected samples (Int32). */
  readonly batch: number;
  /** Float64: Σ loss, Σ squared error, Σ |prediction|, max |prediction|. */
  readonly sums: number;
}

/** What a fit program is recorded for. */
export interface FitRequest {
  readonly observations: Observations;
  readonly loss: Loss;
  readonly pointers: FitPointers;
  /** Most samples that are ever selected. */
  readonly capacity: number;
}

/** The fit program of a finished recording; nothing is done when the selection stays the same. */
export function fitProgram(
  builder: ProgramBuilder,
  write: (batch: Int32Array | undefined) => number,
): FitProgram {
  const program: Program = builder.compile();
  let allSelected = 0;
  return {
    select(batch) {
      if (batch === undefined && allSelected > 0) return allSelected;
      const count = write(batch);
      allSelected = batch === undefined ? count : 0;
      return count;
    },
    run: () => program.run(),
  };
}

/** Writes the selected sample numbers for the kernels to read; returns how many there are. */
export function batchWriter(
  runtime: KernelRuntime,
  { observations: { samples }, pointers, capacity }: FitRequest,
): (batch: Int32Array | undefined) => number {
  const view = runtime.ints(pointers.batch, capacity);
  return (batch) => {
    if (batch !== undefined) {
      view.set(batch);
      return batch.length;
    }
    for (let s = 0; s < samples; s++) view[s] = s;
    return samples;
  };
}
