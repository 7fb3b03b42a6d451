import type { ArrayFile, NamedArray } from "@implicit-rank/array-files";
import * as tf from "@tensorflow/tfjs-core";
import { LocalityBiasError } from "../errors.ts";
import type { Model } from "../models/model.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";

const optimizerPrefix = "optimizer.";

/** Parameters and running statistics by their names, and the optimizer's state. */
export async function saveState(model: Model, optimizer: Optimizer): Promise<ArrayFile> {
  const arrays: Record<string, NamedArray> = {};
  for (const [name, variable] of variablesOf(model))
    arrays[name] = { shape: variable.shape, data: (await variable.data()) as Float32Array };
  for (const [name, array] of Object.entries(await optimizer.save()))
    arrays[optimizerPrefix + name] = array;
  return { arrays, metadata: { layout: "convolutions HWIO, linear layers in × out" } };
}

/**
 * The inverse of `saveState`.
 *
 * @throws LocalityBiasError if an array is missing or of another shape
 */
export function restoreState(saved: ArrayFile, model: Model, optimizer: Optimizer): void {
  for (const [name, variable] of variablesOf(model)) assignSaved(variable, saved, name);
  const optimizerArrays = Object.entries(saved.arrays).flatMap(([name, array]) => {
    const { shape, data } = array;
    if (!name.startsWith(optimizerPrefix) || !isFloats(data)) return [];
    return [[name.slice(optimizerPrefix.length), { shape, data }] as const];
  });
  optimizer.restore(Object.fromEntries(optimizerArrays));
}

function variablesOf(model: Model): readonly (readonly [string, tf.Variable])[] {
  return [...model.parameters, ...model.statistics];
}

function assignSaved(variable: tf.Variable, saved: ArrayFile, name: string): void {
  const array = Object.hasOwn(saved.arrays, name) ? saved.arrays[name] : undefined;
  if (array === undefined || !isFloats(array.data) || array.shape.join() !== variable.shape.join())
    throw new LocalityBiasError(
      `checkpoint: ${name}: is not an array of ${variable.shape.join(" × ")} floats; resume with the model that saved it`,
    );
  const values = tf.tensor(Float32Array.from(array.data), variable.shape);
  variable.assign(values);
  values.dispose();
}

function isFloats(data: NamedArray["data"]): data is Float32Array | Float64Array {
  return data instanceof Float32Array || data instanceof Float64Array;
}
