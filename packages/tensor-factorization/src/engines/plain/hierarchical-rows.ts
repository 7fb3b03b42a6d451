import { modeTreeOf } from "../../model/parameter-layout.ts";
import type { CpSpec, HierarchicalSpec } from "../../model/types.ts";
import type { ModelInputs } from "./bound-model.ts";

/**
 * The rows at which one tree node is evaluated. The value of a node depends on the indices of its own
 * modes only, so completion has one row for each *distinct* combination of them in the batch, never
 * one for each sample; sensing has one for each sample.
 */
export interface NodeRows {
  /** The most rows that a batch can need. */
  readonly capacity: number;
  /** Rows in use. */
  count: number;
  /** Position in the batch → row. */
  readonly rowOfPosition: Int32Array;
  /** Leaves: row → index at the mode (completion) or sample (sensing). */
  readonly entryOfRow: Int32Array;
  /** Pooled child → row → row of that child. */
  readonly childRows: readonly Int32Array[];
}

/** `layers[l][i]`: node i at the input of layer l (the leaves at l = 0); `root`: after the last. */
export interface HierarchicalRows {
  readonly layers: readonly (readonly NodeRows[])[];
  readonly root: NodeRows;
  /** Lays out the rows of a batch, of all samples if absent; returns the number of samples. */
  select(batch?: Int32Array): number;
}

interface NumberedNode extends NodeRows {
  readonly children: readonly NumberedNode[];
  /** Sample → number of its distinct entry among all samples. */
  readonly entryOfSample: Int32Array;
  /** Entry → row in the current batch, or -1. */
  readonly rowOfEntry: Int32Array;
}

/** Finds the distinct entries of every node once, so that choosing a batch allocates nothing. */
export function layOutRows(spec: CpSpec | HierarchicalSpec, inputs: ModelInputs): HierarchicalRows {
  const tree = modeTreeOf(spec);
  let nodes = spec.modeSizes.map((size, mode) => numberLeaf(inputs, mode, size, tree.order));
  const layers: NumberedNode[][] = [];
  for (const layer of tree.layers) {
    layers.push(nodes);
    const below = nodes;
    nodes = layer.groups.map((group) =>
      numberPooled(
        inputs,
        group.map((node) => below[node]),
      ),
    );
  }
  const root = nodes[0];
  const all = [...layers.flat(), root];
  let allSelected = false;

  return {
    layers,
    root,
    select(batch) {
      if (batch !== undefined || !allSelected)
        for (const node of all) assignRows(node, inputs, batch);
      allSelected = batch === undefined;
      return batch?.length ?? inputs.samples;
    },
  };
}

function numberLeaf(inputs: ModelInputs, mode: number, size: number, order: number): NumberedNode {
  if (inputs.task === "sensing") return numberedNode(identity(inputs.samples), inputs.samples, []);
  const { indices, samples } = inputs;
  const entryOfSample = Int32Array.from({ length: samples }, (_, s) => indices[s * order + mode]);
  return numberedNode(entryOfSample, size, []);
}

function numberPooled(inputs: ModelInputs, children: readonly NumberedNode[]): NumberedNode {
  if (inputs.task === "sensing") {
    return numberedNode(identity(inputs.samples), inputs.samples, children);
  }
  let entryOfSample = children[0].entryOfSample;
  let entries = children[0].rowOfEntry.length;
  for (const child of children.slice(1)) {
    const numbers = new Map<number, number>();
    const radix = child.rowOfEntry.length;
    const prefix = entryOfSample;
    entryOfSample = prefix.map((entry, s) => {
      const pair = entry * radix + child.entryOfSample[s];
      const known = numbers.get(pair) ?? numbers.size;
      numbers.set(pair, known);
      return known;
    });
    entries = numbers.size;
  }
  return numberedNode(entryOfSample, entries, children);
}

function numberedNode(
  entryOfSample: Int32Array,
  entries: number,
  children: readonly NumberedNode[],
): NumberedNode {
  const samples = entryOfSample.length;
  const capacity = Math.min(samples, entries);
  return {
    capacity,
    count: 0,
    children,
    entryOfSample,
    rowOfEntry: new Int32Array(entries),
    rowOfPosition: new Int32Array(samples),
    entryOfRow: new Int32Array(capacity),
    childRows: children.map(() => new Int32Array(capacity)),
  };
}

/** Numbers the distinct entries of a batch in the order of their first occurrence. */
function assignRows(node: NumberedNode, inputs: ModelInputs, batch: Int32Array | undefined): void {
  const length = batch?.length ?? inputs.samples;
  const { rowOfEntry, children } = node;
  rowOfEntry.fill(-1);
  node.count = 0;
  for (let position = 0; position < length; position++) {
    const entry = node.entryOfSample[batch === undefined ? position : batch[position]];
    if (rowOfEntry[entry] < 0) {
      const row = node.count++;
      rowOfEntry[entry] = row;
      node.entryOfRow[row] = entry;
      for (let c = 0; c < children.length; c++) {
        node.childRows[c][row] = children[c].rowOfPosition[position];
      }
    }
    node.rowOfPosition[position] = rowOfEntry[entry];
  }
}

function identity(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i);
}
