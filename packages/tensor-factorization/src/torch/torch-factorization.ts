import { FactorizationError } from "../errors.ts";
import { createFactorization } from "../model/factorization.ts";
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

/** Names in the PyTorch scripts: MF `layers.0`, CP `factors.0`, HT `per_hidden_layer_parameter_lists.0.0`. */
const PATTERNS = [
  { kind: "mf", name: /^layers\.(\d+)$/ },
  { kind: "cp", name: /^factors\.(\d+)$/ },
  { kind: "ht", name: /^per_hidden_layer_parameter_lists\.(\d+)\.(\d+)$/ },
] as const;
const OUTPUT = "output_layer_parameters";

/**
 * Which factorization of the PyTorch scripts has parameters of these names; undefined for any other model.
 */
export function torchFactorizationKind(
  names: Iterable<string>,
): FactorizationSpec["kind"] | undefined {
  const all = [...names];
  return PATTERNS.find(({ kind, name: pattern }) => {
    const own = all.filter((name) => pattern.test(name));
    const others = kind === "mf" ? [] : [OUTPUT];
    return own.length > 0 && own.length + others.filter((n) => all.includes(n)).length === all.length;
  })?.kind;
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
  const { names, spec } = describe(kind, state, options);
  const factorization = createFactorization(spec, emptyVector(state, names));
  factorization.layout.forEach(({ rows, cols, offset }, i) => {
    const name = names[i];
    const { shape, data } = state.get(name)!;
    if (shape[0] !== rows || shape[1] !== cols)
      throw misfit(source, name, `is ${shape.join(" × ")} where ${rows} × ${cols} is needed`);
    copyFinite(data, factorization.values, offset, () => misfit(source, name, "is not finite"));
  });
  return factorization;
}

/** A specification, and the names of its parameters in the order of our layout. */
interface Description {
  readonly spec: FactorizationSpec;
  readonly names: readonly string[];
}

function describe(
  kind: FactorizationSpec["kind"],
  state: TorchStateDict,
  options: TorchFactorizationOptions,
): Description {
  const { source } = options;
  const output = state.has(OUTPUT) ? [OUTPUT] : [];
  switch (kind) {
    case "mf": {
      const names = numbered(state, "layers", source);
      const sizes = [state.get(names[0])!.shape[0], ...names.map((n) => state.get(n)!.shape[1])];
      return { names, spec: { kind, sizes } satisfies MatrixSpec };
    }
    case "cp": {
      const names = numbered(state, "factors", source);
      const modeSizes = names.map((name) => state.get(name)!.shape[0]);
      const components = state.get(names[0])!.shape[1];
      const outputWeights = output.length > 0;
      const spec = { kind, modeSizes, components, outputWeights } satisfies CpSpec;
      return { names: [...names, ...output], spec };
    }
    case "ht": {
      const layers = hierarchicalNames(state, source);
      const shapes = layers.map((names) => names.map((name) => state.get(name)!.shape));
      const spec = inferHierarchicalSpec(shapes, output.length > 0, options, source);
      return { names: [...layers.flat(), ...output], spec };
    }
  }
}

function hierarchicalNames(state: TorchStateDict, source: string): string[][] {
  const prefix = "per_hidden_layer_parameter_lists";
  const layers: string[][] = [];
  let count = 0;
  while (state.has(`${prefix}.${layers.length}.0`)) {
    const layer = `${prefix}.${layers.length}`;
    const names: string[] = [];
    while (state.has(`${layer}.${names.length}`)) names.push(`${layer}.${names.length}`);
    layers.push(names);
    count += names.length;
  }
  if (count !== state.size - (state.has(OUTPUT) ? 1 : 0)) throw gap(source, prefix);
  return layers;
}

/** `prefix.0`, `prefix.1`, … without a gap. */
function numbered(state: TorchStateDict, prefix: string, source: string): string[] {
  const names: string[] = [];
  while (state.has(`${prefix}.${names.length}`)) names.push(`${prefix}.${names.length}`);
  if (names.length !== state.size - (state.has(OUTPUT) ? 1 : 0)) throw gap(source, prefix);
  return names;
}

function emptyVector(
  state: TorchStateDict,
  names: readonly string[],
): Float32Array | Float64Array {
  const count = names.reduce((sum, name) => sum + state.get(name)!.data.length, 0);
  const isDouble = names.some((name) => state.get(name)!.data instanceof Float64Array);
  return isDouble ? new Float64Array(count) : new Float32Array(count);
}

function copyFinite(
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

function gap(source: string, prefix: string): FactorizationError {
  return new FactorizationError(
    `${source}: model.${prefix}: is not numbered from 0 without gaps; give a checkpoint as the PyTorch scripts wrote it`,
    1,
  );
}
