import type * as tf from "@tensorflow/tfjs-core";

/** Gradients by the names of parameters. */
export type Gradients = ReadonlyMap<string, tf.Tensor>;

/** An array of a saved state. */
export interface SavedArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** Everything that the next update depends on besides the parameters: a file can hold it as it is. */
export type SavedState = Readonly<Record<string, SavedArray>>;

/** Updates parameters in place. Its state is on the backend; nothing is read back. */
export interface Optimizer {
  /** Changed between steps by a schedule. */
  learningRate: number;
  /** One update; a parameter without a gradient stays as it is, as in PyTorch. */
  update(gradients: Gradients): void;
  /** All that the optimizer carries from step to step: for checkpoints. */
  save(): Promise<SavedState>;
  /** @throws LocalityBiasError if the state is another optimizer's or of other parameters. */
  restore(state: SavedState): void;
  /** Frees what it carries; the parameters stay. */
  dispose(): void;
}
