import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { defineKernel } from "../../src/tfjs/define-kernel.ts";
import { HeapExhaustedError, registerSimdBackend } from "../../src/tfjs/index.ts";
import { useSimdBackend } from "./backends.ts";

const simd = useSimdBackend();

/** A tensor whose values are on the heap. */
function heapTensor(values: readonly number[], shape: number[]): tf.Tensor {
  const tensor = tf.tensor([...values], shape);
  simd.backend.floatsPointer(tensor);
  return tensor;
}

const count = (length: number): number[] => Array.from({ length }, (_, i) => i + 1);

describe("storage", () => {
  test("a tensor keeps its values when they are moved to the heap, and gives its block back", () => {
    const before = tf.memory() as tf.MemoryInfo & { numBytesOnHeap: number };
    const tensor = heapTensor(count(6), [2, 3]);
    expect(Array.from(tensor.dataSync())).toEqual(count(6));
    const memory = tf.memory() as typeof before;
    expect(memory.numTensors).toBe(before.numTensors + 1);
    expect(memory.numBytes).toBe(before.numBytes + 24);
    expect(memory.numBytesOnHeap).toBe(before.numBytesOnHeap + 64);
    expect(memory.unreliable).toBe(false);
    tensor.dispose();
    expect(tf.memory()).toEqual(before);
  });

  test("what is read is a copy", async () => {
    const tensor = heapTensor([1, 2], [2]);
    tensor.dataSync<"float32">()[0] = 9;
    (await tensor.data<"float32">())[1] = 9;
    expect(Array.from(tensor.dataSync())).toEqual([1, 2]);
    const values = tensor.dataSync();
    tensor.dispose();
    heapTensor([7, 7], [2]).dispose();
    expect(Array.from(values)).toEqual([1, 2]);
    expect(values.buffer).toBeInstanceOf(ArrayBuffer);
  });

  test("tensors that share values keep them until the last one is disposed of", () => {
    const used = simd.backend.memory().numBytesOnHeap;
    const tensor = heapTensor(count(6), [2, 3]);
    const reshaped = tf.reshape(tensor, [6]);
    const clone = tensor.clone();
    tensor.dispose();
    heapTensor(count(6), [6]).dispose();
    reshaped.dispose();
    expect(Array.from(clone.dataSync())).toEqual(count(6));
    expect(simd.backend.memory().numBytesOnHeap).toBe(used + 64);
    clone.dispose();
    expect(simd.backend.memory().numBytesOnHeap).toBe(used);
  });

  test("a contiguous slice by a cpu kernel outlives the tensor that it was taken of", () => {
    const tensor = heapTensor(count(8), [4, 2]);
    const slice = tf.slice(tensor, [1, 0], [2, 2]);
    tensor.dispose();
    heapTensor(new Array(8).fill(0), [4, 2]);
    expect(Array.from(slice.dataSync())).toEqual([3, 4, 5, 6]);
  });

  test("integers and booleans read as floats stay what they are", () => {
    const integers = tf.tensor1d([1, 2, 2 ** 24 + 1], "int32");
    const floats = tf.cast(integers, "float32");
    const pointer = simd.backend.floatsPointer(floats);
    expect(Array.from(simd.backend.runtime.floats(pointer, 3))).toEqual([1, 2, 2 ** 24]);
    expect(Array.from(integers.dataSync())).toEqual([1, 2, 2 ** 24 + 1]);
    const flags = tf.tensor1d([true, false], "bool");
    const flagPointer = simd.backend.floatsPointer(tf.cast(flags, "float32"));
    expect(Array.from(simd.backend.runtime.floats(flagPointer, 2))).toEqual([1, 0]);
    expect(Array.from(tf.logicalNot(flags).dataSync())).toEqual([0, 1]);
  });

  test("strings and complex numbers work; only their parts have float values", () => {
    const used = simd.backend.memory().numBytesOnHeap;
    tf.tidy(() => {
      const strings = tf.tensor1d(["a", "bc"]);
      expect(tf.slice(strings, [1], [1]).dataSync()).toEqual(["bc"]);
      const complex = tf.complex(heapTensor([1, 2], [2]), heapTensor([3, 4], [2]));
      expect(Array.from(complex.dataSync())).toEqual([1, 3, 2, 4]);
      expect(Array.from(tf.imag(complex).dataSync())).toEqual([3, 4]);
      expect(() => simd.backend.floatsPointer(complex)).toThrow(/complex64/);
      expect(() => simd.backend.floatsPointer(strings)).toThrow(/string/);
    });
    expect(simd.backend.memory().numBytesOnHeap).toBe(used);
  });

  test("values move between backends", async () => {
    const tensor = heapTensor(count(4), [4]);
    const used = simd.backend.memory().numBytesOnHeap;
    await tf.setBackend("cpu");
    const doubled = tf.mul(tensor, 2);
    expect(simd.backend.memory().numBytesOnHeap).toBe(used - 64);
    await tf.setBackend("simd");
    const sum = tf.add(doubled, tensor);
    expect(Array.from(sum.dataSync())).toEqual([3, 6, 9, 12]);
  });

  test("a full heap is one clear error", () => {
    const shape = [5000, 5000];
    expect(() => simd.backend.output(shape)).toThrow(HeapExhaustedError);
    expect(() => simd.backend.output(shape)).toThrow(/shape \[5000, 5000\] needs 100000000 bytes/);
  });

  test("it is registered once", async () => {
    await expect(registerSimdBackend({ bytes: 1024 })).rejects.toThrow(/registered already/);
  });
});

describe("kernels", () => {
  test("outputs and working memory are given back when a kernel throws", () => {
    const used = simd.backend.memory();
    const ids = simd.backend.numDataIds();
    tf.registerKernel(
      defineKernel("HalfDone", ({ backend }) => {
        backend.temporary(1000);
        backend.output([10]);
        throw new Error("half done");
      }),
    );
    expect(() => tf.engine().runKernel("HalfDone", {})).toThrow("half done");
    expect(simd.backend.memory()).toEqual(used);
    expect(simd.backend.numDataIds()).toBe(ids);
  });

  test("what a kernel does not cover goes to the cpu kernel, or is an error where there is none", () => {
    tf.registerKernel(defineKernel("Nowhere", () => undefined));
    expect(() => tf.engine().runKernel("Nowhere", {})).toThrow(/Nowhere takes only/);
  });

  test("an operation runs at once on heap values", () => {
    const [a, b] = [heapTensor([1, 2, 3], [3]), heapTensor([4, 5, 6], [3])];
    const { info, pointer } = simd.backend.output([3]);
    const product = tf.engine().makeTensorFromTensorInfo(info, simd.backend);
    simd.backend.runOperation("multiply", {
      out: pointer,
      a: simd.backend.floatsPointer(a),
      b: simd.backend.floatsPointer(b),
      count: 3,
    });
    expect(Array.from(product.dataSync())).toEqual([4, 10, 18]);
  });
});
