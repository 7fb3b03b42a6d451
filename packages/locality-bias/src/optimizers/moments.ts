import * as tf from "@tensorflow/tfjs-core";
import { LocalityBiasError } from "../errors.ts";
import type { SavedArray, SavedState } from "./optimizer.ts";

/** Variables of an optimizer: one for each parameter, zero at first. */
export type Moments = ReadonlyMap<string, tf.Variable>;

export function zeroMoments(parameters: ReadonlyMap<string, tf.Variable>): Moments {
  return new Map(
    Array.from(parameters, ([name, { shape }]) => {
      const zeros = tf.zeros(shape);
      const moment = tf.variable(zeros, false);
      zeros.dispose();
      return [name, moment];
    }),
  );
}

export async function saveMoments(moments: Moments, prefix: string): Promise<SavedState> {
  const saved: Record<string, SavedArray> = {};
  for (const [name, variable] of moments) {
    const data = (await variable.data()) as Float32Array;
    saved[`${prefix}.${name}`] = { shape: variable.shape, data: Float32Array.from(data) };
  }
  return saved;
}

export function restoreMoments(moments: Moments, prefix: string, state: SavedState): void {
  for (const [name, variable] of moments) {
    const saved = savedArray(state, `${prefix}.${name}`, variable.shape);
    const restored = tf.tensor(Float32Array.from(saved.data), variable.shape);
    variable.assign(restored);
    restored.dispose();
  }
}

export function savedArray(state: SavedState, name: string, shape: readonly number[]): SavedArray {
  const saved = state[name];
  if (saved === undefined) {
    throw new LocalityBiasError(`optimizer state: no ${name}; it is of another optimizer or model`);
  }
  if (saved.shape.join() !== shape.join()) {
    throw new LocalityBiasError(
      `optimizer state: ${name} has shape [${saved.shape.join(", ")}], not [${shape.join(", ")}]; it is of another model`,
    );
  }
  return saved;
}
