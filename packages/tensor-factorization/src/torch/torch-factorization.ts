import { FactorizationError } from "../errors.ts";
import { createFactorization } from "../model/factorization.ts";
import { parameterLayout } from "../model/parameter-layout.ts";
import type { CpSpec, Factorization, FactorizationSpec, MatrixSpec } from "../model/types.ts";
import { inferHierarchicalSpec, type PoolingHints } from "./infer-pooling.ts";

/** A tensor as `readTorchFile` of @implicit-rank/array-files gives it. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** The tensors of a PyTorch model by name, as `torchStateDict` of @implicit-rank/array-files gives them. */
export type TorchStateDict = ReadonlyMap<string, TorchTensor>;

export interface TorchFactorizationOptions extends PoolingHints {
  /** The file, for messages. */
  readonly source: string;
}

/** The parameters of the three models in the PyTorch scripts. */
const PATTERNS = [
  { kind: "mf", name: /^layers\.\d+$/ },
  { kind: "cp", name: /^factors\.\d+$/ },
  { kind: "ht", name: /^per_hidden_layer_parameter_lists\.\d+\.\d+$/ },
] as const;
const HIERARCHICAL = "per_hidden_layer_parameter_lists";
const OUTPUT = "output_layer_parameters";

/**
 * Which factorization of the PyTorch scripts has parameters of these names; undefined for any other model.
 */
export function torchFactorizationKind(
  names: Iterable<string>,
): FactorizationSpec["kind"] | undefined {
  const all = [...names];
  return PATTERNS.find(
    ({ kind, name: pattern }) =>
      all.some((name) => pattern.test(name)) &&
      all.every((name) => pattern.test(name) || (name === OUTPUT && kind !== "mf")),
  )?.kind;
}

/**
 * The factorization that a state dictionary of the PyTorch scripts holds: `DeepLinearNet` (layers.0 …),
 * `CPTensorFactorization` (factors.0 …) or `HierarchicalTensorFactorization`
 * (per_hidden_layer_parameter_lists.0.0 …), with its sizes from the shapes of the tensors. How nodes are
 * pooled in a hierarchical one follows from the numbers of its matrices only in part: the rest is found
 * in the names of its metrics, or must be given. Values are single precision, double if a tensor is.
 *
 * @throws FactorizationError (exit code 1) if the tensors make no such model, (exit code 2) naming the
 *   flag if the pooling is not determined or contradicts what is given
 */
export function importTorchFactorization(
  state: TorchStateDict,
  options: TorchFactorizationOptions,
): Factorization {
  const { source } = options;
  const kind = torchFactorizationKind(state.keys());
  if (kind === undefined) {
    throw new FactorizationError(
      `${source}: model: has the parameters ${[...state.keys()].slice(0, 3).join(", ")} …; give a matrix, CP or hierarchical tensor factorization of the PyTorch scripts`,
      1,
    );
  }
  for (const [name, { shape }] of state) {
    if (shape.length !== 2 || shape.some((size) => size < 1))
      throw misfit(source, name, `has the shape (${shape.join(", ")}) instead of two sizes`);
  }
  const spec = specOf(kind, state, options);
  for (const { name: ours, rows, cols } of parameterLayout(spec)) {
    const name = torchParameterName(ours);
    const { shape } = state.get(name)!;
    if (shape[0] !== rows || shape[1] !== cols)
      throw misfit(source, name, `is ${shape.join(" × ")} where ${rows} × ${cols} is needed`);
  }
  const factorization = createFactorization(spec, emptyVector(state));
  for (const { name: ours, offset } of factorization.layout) {
    const name = torchParameterName(ours);
    const refuse = (): Error => misfit(source, name, "is not finite");
    copyFinite(state.get(name)!.data, factorization.values, offset, refuse);
  }
  return factorization;
}

/** The PyTorch scripts' name of a parameter of our layout. */
export function torchParameterName(name: string): string {
  if (name === "output_weights") return OUTPUT;
  return name.replace(/^layers\.(\d+)\.factors\./, `${HIERARCHICAL}.$1.`);
}

/** The inverse of `torchParameterName`. */
export function parameterNameFromTorch(name: string): string {
  if (name === OUTPUT) return "output_weights";
  return name.startsWith(`${HIERARCHICAL}.`)
    ? name.replace(/^\w+\.(\d+)\.(\d+)$/, "layers.$1.factors.$2")
    : name;
}

function specOf(
  kind: FactorizationSpec["kind"],
  state: TorchStateDict,
  options: TorchFactorizationOptions,
): FactorizationSpec {
  const { source } = options;
  const outputWeights = state.has(OUTPUT);
  const parameters = state.size - (outputWeights ? 1 : 0);
  switch (kind) {
    case "mf": {
      const shapes = numberedShapes(state, "layers", parameters, source);
      const sizes = [shapes[0][0], ...shapes.map(([, cols]) => cols)];
      return { kind, sizes } satisfies MatrixSpec;
    }
    case "cp": {
      const shapes = numberedShapes(state, "factors", parameters, source);
      const modeSizes = shapes.map(([rows]) => rows);
      return { kind, modeSizes, components: shapes[0][1], outputWeights } satisfies CpSpec;
    }
    case "ht": {
      const layers: (readonly (readonly number[])[])[] = [];
      for (let left = parameters; left > 0; left -= layers.at(-1)!.length) {
        const prefix = `${HIERARCHICAL}.${layers.length}`;
        const count = [...state.keys()].filter((name) => name.startsWith(`${prefix}.`)).length;
        layers.push(numberedShapes(state, prefix, count, source));
      }
      return inferHierarchicalSpec(layers, outputWeights, options, source);
    }
  }
}

/** The shapes of `prefix.0` to `prefix.${count - 1}`, all of which must be there. */
function numberedShapes(
  state: TorchStateDict,
  prefix: string,
  count: number,
  source: string,
): readonly (readonly number[])[] {
  const shapes = Array.from({ length: count }, (_, i) => state.get(`${prefix}.${i}`)?.shape);
  if (count > 0 && !shapes.includes(undefined)) return shapes as readonly (readonly number[])[];
  throw new FactorizationError(
    `${source}: model.${prefix}: is not numbered from 0 without gaps; give a checkpoint as the PyTorch scripts wrote it`,
    1,
  );
}

/** Double precision if any of the tensors has it. */
function emptyVector(state: TorchStateDict): Float32Array | Float64Array {
  const tensors = [...state.values()];
  const count = tensors.reduce((sum, { data }) => sum + data.length, 0);
  const isDouble = tensors.some(({ data }) => data instanceof Float64Array);
  return isDouble ? new Float64Array(count) : new Float32Array(count);
}

/** Copies numbers to `offset`; `refuse` makes the error for one that is NaN or infinite. */
export function copyFinite(
  data: TorchTensor["data"],
  out: Float32Array | Float64Array,
  offset: number,
  refuse: () => Error,
): void {
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (!Number.isFinite(value)) throw refuse();
    out[offset + i] = value;
  }
}

function misfit(source: string, name: string, problem: string): FactorizationError {
  return new FactorizationError(
    `${source}: model.${name}: ${problem}; give a checkpoint of a run that did not diverge, as the PyTorch scripts wrote it`,
    1,
  );
}
