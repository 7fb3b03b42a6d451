import * as tf from "@tensorflow/tfjs-core";
import { addAlike } from "./add-alike.ts";

/** A value, and its gradients as tensors that can be differentiated themselves. */
export interface Differentiated<Value extends tf.Tensor> {
  readonly value: Value;
  /** Of the sum of the value's entries by each x; undefined where it does not depend on one. */
  readonly gradients: readonly (tf.Tensor | undefined)[];
}

/**
 * What tf.valueAndGrads and tf.variableGrads give, in half the memory: gradients of activations are freed as
 * soon as the backward pass is through with them, and, in the outermost call, the activations themselves.
 * tfjs keeps all to the end. Calls may be nested, for second derivatives. If `f` throws, the outermost
 * call leaves nothing behind.
 */
export function differentiate<Value extends tf.Tensor>(
  f: () => Value,
  xs: readonly tf.Tensor[],
): Differentiated<Value> {
  const engine = tf.engine() as unknown as TapeEngine;
  if (!isTapeEngine(engine)) return byTfjs(f, xs);
  const first = engine.state.gradientDepth === 0 ? 0 : engine.state.activeTape!.length;
  engine.startTape();
  let isOpen = true;
  const close = (): void => {
    if (isOpen) engine.endTape();
    isOpen = false;
  };
  let value: Value | undefined;
  try {
    value = tf.tidy(f);
    close();
    const tape = engine.state.activeTape!.slice(first);
    const afterwards = engine.state.gradientDepth === 0 ? release : keepForLater;
    const path = pathToValue(tape, xs, value, afterwards);
    return { value, gradients: backpropagate(path, xs, value, afterwards) };
  } catch (error) {
    value?.dispose();
    throw error;
  } finally {
    close();
    if (engine.state.gradientDepth === 0) {
      engine.state.activeTape!.forEach(release);
      engine.state.activeTape = null;
    }
  }
}

/** The parts of tfjs's engine that record gradients; they are not in its declared interface. */
interface TapeEngine {
  readonly state: { activeTape: TapeNode[] | null; readonly gradientDepth: number };
  startTape(): void;
  endTape(): void;
}

function isTapeEngine(engine: Partial<TapeEngine>): engine is TapeEngine {
  return typeof engine.startTape === "function" && engine.state?.gradientDepth !== undefined;
}

interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly outputs: readonly tf.Tensor[];
  saved?: readonly tf.Tensor[];
  readonly gradient?: (dys: readonly (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

type Afterwards = (node: TapeNode) => void;

function release(node: TapeNode): void {
  tf.dispose([...(node.saved ?? [])]);
  node.saved = [];
}

/** An enclosing gradient needs what a node has saved. */
const keepForLater: Afterwards = () => undefined;

/** A node on the way from an x to the value, and its inputs that depend on an x. */
interface PathNode {
  readonly node: TapeNode;
  readonly inputs: readonly string[];
}

/** From the value back to the x. */
function pathToValue(
  tape: readonly TapeNode[],
  xs: readonly tf.Tensor[],
  value: tf.Tensor,
  afterwards: Afterwards,
): PathNode[] {
  const dependent = new Set(xs.map(({ id }) => id));
  const inputsOf = tape.map((node) => {
    const inputs = Object.keys(node.inputs).filter((name) => dependent.has(node.inputs[name].id));
    if (inputs.length > 0) for (const { id } of node.outputs) dependent.add(id);
    return inputs;
  });
  const leading = new Set([value.id]);
  const path: PathNode[] = [];
  for (let index = tape.length - 1; index >= 0; index--) {
    const node = tape[index];
    const inputs = inputsOf[index];
    if (inputs.length > 0 && node.outputs.some(({ id }) => leading.has(id))) {
      for (const name of inputs) leading.add(node.inputs[name].id);
      path.push({ node, inputs });
    } else {
      afterwards(node);
    }
  }
  return path;
}

function backpropagate(
  path: readonly PathNode[],
  xs: readonly tf.Tensor[],
  value: tf.Tensor,
  afterwards: Afterwards,
): (tf.Tensor | undefined)[] {
  const gradients = new Map([[value.id, tf.keep(tf.ones(value.shape))]]);
  try {
    for (const pathNode of path) {
      tf.tidy(() => passBack(pathNode, gradients));
      afterwards(pathNode.node);
    }
    // Copies that share the data: they belong to the caller's scope.
    return xs.map(({ id }) => (gradients.has(id) ? tf.clone(gradients.get(id)!) : undefined));
  } finally {
    tf.dispose([...gradients.values()]);
  }
}

/** Gradients of a node's inputs from those of its outputs, which end here. */
function passBack({ node, inputs }: PathNode, gradients: Map<number, tf.Tensor>): void {
  if (node.gradient === undefined) {
    throw new Error(
      `forward: no gradient of ${node.kernelName} is registered; import @tensorflow/tfjs or register one`,
    );
  }
  const dys = node.outputs.map(({ id }) => gradients.get(id) ?? null);
  const ofInputs = node.gradient(dys);
  for (const name of inputs) {
    const { id } = node.inputs[name];
    const gradient = ofInputs[name]();
    const sum = gradients.get(id);
    gradients.set(id, owned(sum === undefined ? gradient : addAlike(sum, gradient)));
    sum?.dispose();
  }
  for (const { id } of node.outputs) {
    gradients.get(id)?.dispose();
    gradients.delete(id);
  }
}

/** Out of every scope. A tensor that is kept already has another owner: it may be dy itself. */
function owned(gradient: tf.Tensor): tf.Tensor {
  return tf.keep(gradient.kept ? tf.clone(gradient) : gradient);
}

function byTfjs<Value extends tf.Tensor>(
  f: () => Value,
  xs: readonly tf.Tensor[],
): Differentiated<Value> {
  const { value, grads } = tf.valueAndGrads(f)([...xs]);
  return { value, gradients: grads };
}
