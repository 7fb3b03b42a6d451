import { FactorizationError } from "../errors.ts";
import { createModeTree, nodeCounts, numHiddenLayers } from "../mode-tree/mode-tree.ts";
import { poolPatterns, type PoolPattern } from "../mode-tree/pool-pattern.ts";
import { validateSpec } from "../model/validate-spec.ts";
import type { HierarchicalSpec } from "../model/types.ts";

/** What is known of the pooling beside the shapes of the parameters. */
export interface PoolingHints {
  readonly poolSize?: number;
  readonly poolPattern?: PoolPattern;
  /** Names of tracked metrics: `l_0_f_0_2_top_0_local_comp_norm` says that nodes 0 and 2 are pooled. */
  readonly metrics?: readonly string[];
}

interface Pooling {
  readonly poolSizes: readonly number[];
  readonly poolPattern: PoolPattern;
  /** The pooled groups of each layer. */
  readonly groups: readonly (readonly (readonly number[])[])[];
}

/** No full tensor of a higher order can be held, and a hostile file could ask for much work. */
const MAX_ORDER = 256;

type Shapes = readonly (readonly (readonly number[])[])[];

/**
 * The specification of a hierarchical factorization whose matrices have these shapes, layer by layer.
 * One pool size for all layers is preferred to different ones, a smaller to a larger one.
 *
 * @throws FactorizationError if there is none, or several that pool different nodes
 */
export function inferHierarchicalSpec(
  shapes: Shapes,
  outputWeights: boolean,
  hints: PoolingHints,
  source: string,
): HierarchicalSpec {
  const counts = [...shapes.map((layer) => layer.length), 1];
  const tracked = groupsInNames(hints.metrics ?? []);
  const possible = counts[0] > MAX_ORDER ? [] : poolings(counts, hints.poolSize);
  if (possible.length === 0)
    throw new FactorizationError(
      `${source}: model: layers of ${counts.slice(0, -1).join(", ")} matrices do not merge into one; give a checkpoint as the PyTorch scripts wrote it`,
      1,
    );
  const byNames = possible.filter(({ groups }) => agrees(groups, tracked));
  const fitting = byNames.filter((pooling) => agreesWithFlags(pooling, hints));
  if (fitting.length === 0)
    throw contradiction(byNames.length > 0 ? byNames : possible, hints, source);
  const distinct = firstOfEachGrouping(fitting);
  if (distinct.length > 1) throw undetermined(distinct, hints, source);
  const { poolSizes, poolPattern } = fitting[0];
  return validateSpec({
    kind: "ht",
    modeSizes: shapes[0].map(([rows]) => rows),
    widths: shapes.map((layer) => layer[0][1]),
    poolSizes,
    poolPattern,
    outputWeights,
  });
}

/**
 * All ways to pool layers of these numbers of nodes, one size for all layers first. A pool size may be
 * larger than the order, but is then known from a flag alone.
 */
function poolings(counts: readonly number[], given = 2): Pooling[] {
  const uniform: (readonly number[])[] = [];
  const sizesToTry = Array.from({ length: counts[0] - 1 }, (_, i) => i + 2);
  if (given > counts[0]) sizesToTry.push(given);
  for (const size of sizesToTry) {
    const layers = numHiddenLayers(counts[0], size);
    const sizes = new Array<number>(layers).fill(size);
    if (nodeCounts(counts[0], sizes).join() === counts.join()) uniform.push(sizes);
  }
  const different = counts.slice(1).map((count, l) => smallestPoolSize(counts[l], count));
  const mixed = different.includes(undefined) ? [] : [different as readonly number[]];
  return [...uniform, ...mixed].flatMap((poolSizes) =>
    poolPatterns.flatMap((poolPattern) => {
      const squares = poolSizes.every((size) => Number.isInteger(Math.sqrt(size)));
      if (poolPattern === "checkerboard_sq" && !squares) return [];
      const { layers } = createModeTree(counts[0], poolSizes, poolPattern);
      return [{ poolSizes, poolPattern, groups: layers.map(({ groups }) => groups) }];
    }),
  );
}

/** The smallest pool size that makes `from` nodes into `to`. */
function smallestPoolSize(from: number, to: number): number | undefined {
  const size = Math.ceil(from / to);
  return to < from && Math.ceil(from / size) === to ? size : undefined;
}

/** The pooled groups that metric names tell, by layer and in their order. */
function groupsInNames(metrics: readonly string[]): ReadonlyMap<number, readonly number[][]> {
  const groups = new Map<number, number[][]>();
  for (const name of metrics) {
    const match = /^l_(\d+)_f_(\d+(?:_\d+)*)_top_0_local_comp_norm$/.exec(name);
    if (match === null) continue;
    const layer = Number(match[1]);
    groups.set(layer, [...(groups.get(layer) ?? []), match[2].split("_").map(Number)]);
  }
  return groups;
}

function agrees(
  groups: Pooling["groups"],
  tracked: ReadonlyMap<number, readonly number[][]>,
): boolean {
  return [...tracked].every(
    ([layer, own]) => JSON.stringify(groups[layer]) === JSON.stringify(own),
  );
}

function agreesWithFlags(pooling: Pooling, hints: PoolingHints): boolean {
  const { poolSize, poolPattern = pooling.poolPattern } = hints;
  const sizeAgrees = poolSize === undefined || pooling.poolSizes.every((size) => size === poolSize);
  return sizeAgrees && pooling.poolPattern === poolPattern;
}

function firstOfEachGrouping(poolings: readonly Pooling[]): Pooling[] {
  const groupings = poolings.map(({ groups }) => JSON.stringify(groups));
  return poolings.filter((_, i) => groupings.indexOf(groupings[i]) === i);
}

function contradiction(
  known: readonly Pooling[],
  { poolSize, poolPattern }: PoolingHints,
  source: string,
): FactorizationError {
  const given = [
    ...(poolSize === undefined ? [] : [`--ht_pool_size ${poolSize}`]),
    ...(poolPattern === undefined ? [] : [`--ht_pool_pattern ${poolPattern}`]),
  ].join(" ");
  return new FactorizationError(
    `${given || "--ht_pool_size"}: contradicts ${source}, whose nodes are pooled otherwise; give ${flagsOf(known[0])}`,
  );
}

function undetermined(
  distinct: readonly Pooling[],
  hints: PoolingHints,
  source: string,
): FactorizationError {
  const sizes = new Set(distinct.map(({ poolSizes }) => poolSizes.join(", ")));
  const flag =
    hints.poolSize === undefined && sizes.size > 1 ? "--ht_pool_size" : "--ht_pool_pattern";
  const choices = distinct.map(flagsOf).join(" or ");
  return new FactorizationError(
    `${flag}: is needed, since ${source} does not say which nodes are pooled together; give ${choices}`,
  );
}

function flagsOf({ poolSizes, poolPattern }: Pooling): string {
  const size = new Set(poolSizes).size === 1 ? poolSizes[0] : `(${poolSizes.join(", ")})`;
  return `--ht_pool_size ${size} --ht_pool_pattern ${poolPattern}`;
}
