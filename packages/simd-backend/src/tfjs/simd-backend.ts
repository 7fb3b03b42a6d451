import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { util, type backend_util, type DataType, type TensorInfo } from "@tensorflow/tfjs-core";
import { KernelFailureError } from "../errors.ts";
import type { KernelRuntime } from "../kernel-runtime.ts";
import type { ImmediateOperations } from "../program.ts";
import { HeapExhaustedError } from "./heap-exhausted-error.ts";
import { createHeap, type Heap } from "./heap.ts";
import { StoredTensor } from "./stored-tensor.ts";

/** A new float32 tensor whose values, at `pointer`, are still to be written. */
export interface Output {
  readonly info: TensorInfo;
  readonly pointer: number;
}

/**
 * The cpu backend with float32 values on a heap in the memory of the SIMD kernels. Whatever a cpu kernel
 * makes stays in JavaScript arrays until a SIMD kernel needs it.
 */
export class SimdBackend extends MathBackendCPU {
  readonly runtime: KernelRuntime;
  readonly #heap: Heap;
  readonly #buffer: ArrayBufferLike;
  /** What the running kernels have made so far, given back if they throw. */
  readonly #outputs: TensorInfo[] = [];
  /** Kernels that are running, one called by another. */
  #depth = 0;
  /** Working memory of the running kernel: addresses and their bytes, in turn. */
  readonly #temporaries: number[] = [];
  #nextId = 0;

  /** Takes over the runtime with all its memory. */
  constructor(runtime: KernelRuntime) {
    super();
    this.runtime = runtime;
    const capacity = runtime.capacity - runtime.used;
    const start = runtime.allocate(capacity, "the heap of the tfjs backend");
    this.#heap = createHeap(start, capacity);
    this.#buffer = runtime.floats(start, 0).buffer;
  }

  // For kernels.

  /** Address of the values as float32, which are moved to the heap if they are not there. */
  floatsPointer(info: TensorInfo): number {
    const stored = this.#stored(info.dataId);
    if (stored.pointer === 0) this.#upload(stored, info);
    return stored.pointer;
  }

  /** A new float32 tensor. Its values are not initialized. */
  output(shape: readonly number[]): Output {
    const length = util.sizeFromShape(shape as number[]);
    const pointer = this.#allocate(4 * length, `a tensor of shape [${shape.join(", ")}]`);
    const stored = new StoredTensor(undefined, "float32", 1);
    stored.placeOnHeap(this.#buffer, pointer, length);
    const info: TensorInfo = {
      dataId: this.#register(stored),
      shape: shape as number[],
      dtype: "float32",
    };
    this.#outputs.push(info);
    return { info, pointer };
  }

  /** Working memory until the running kernel returns. */
  temporary(bytes: number): number {
    const pointer = this.#allocate(bytes, "the working memory of a kernel");
    this.#temporaries.push(pointer, bytes);
    return pointer;
  }

  /** Runs one operation of the kernels now. Fields are those of the program builder's method of that name. */
  runOperation<Name extends keyof ImmediateOperations>(
    name: Name,
    options: Parameters<ImmediateOperations[Name]>[0],
  ): void {
    (this.runtime.immediate[name] as (options: unknown) => void)(options);
  }

  /** Runs a kernel, which may call others; gives back its working memory, and its outputs too when it throws. */
  runKernel<Result>(kernel: () => Result): Result {
    const outputs = this.#outputs.length;
    const temporaries = this.#temporaries.length;
    this.#depth += 1;
    try {
      const result = kernel();
      if (this.#depth === 1) this.#outputs.length = 0;
      return result;
    } catch (error) {
      while (this.#outputs.length > outputs) this.disposeData(this.#outputs.pop()!.dataId, true);
      throw error;
    } finally {
      this.#depth -= 1;
      while (this.#temporaries.length > temporaries) {
        const bytes = this.#temporaries.pop()!;
        this.#heap.free(this.#temporaries.pop()!, bytes);
      }
    }
  }

  /** Another tensor on the same values. */
  share(info: TensorInfo, shape: readonly number[]): TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: shape as number[], dtype: info.dtype };
  }

  // What tfjs-core asks of a backend.

  /** A new tensor with these values, as tfjs-core asks for it. */
  override write(
    values: backend_util.BackendValues,
    _shape: number[],
    dtype: DataType,
  ): { id: number } {
    return this.#register(new StoredTensor(this.#owned(values), dtype, 1));
  }

  /** Takes a tensor over from another backend, as tfjs-core asks for it. */
  override move(
    dataId: object,
    values: backend_util.BackendValues,
    _shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    this.data.set(dataId, new StoredTensor(this.#owned(values), dtype, refCount));
  }

  /** A copy: what is on the heap is overwritten once the tensor is disposed of. */
  override readSync(dataId: object): backend_util.BackendValues {
    const values = super.readSync(dataId);
    return ArrayBuffer.isView(values) ? values.slice() : values;
  }

  override disposeData(dataId: object, force = false): boolean {
    const stored = this.data.has(dataId) ? this.#stored(dataId) : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && stored !== undefined && stored.pointer !== 0) {
      this.#heap.free(stored.pointer, 4 * stored.length);
      stored.pointer = 0;
    }
    return gone;
  }

  /** `numBytesOnHeap` of `numBytesOfHeap` are taken. */
  override memory(): {
    unreliable: boolean;
    reasons: string[];
    numBytesOnHeap: number;
    numBytesOfHeap: number;
  } {
    const { used, capacity } = this.#heap;
    return { unreliable: false, reasons: [], numBytesOnHeap: used, numBytesOfHeap: capacity };
  }

  /** Ends the threads and gives the memory back. */
  override dispose(): void {
    this.runtime.dispose();
  }

  #stored(dataId: object): StoredTensor {
    const stored = this.data.get(dataId);
    if (!(stored instanceof StoredTensor)) {
      throw new KernelFailureError("backend simd: this tensor has been disposed of");
    }
    return stored;
  }

  #register(stored: StoredTensor): { id: number } {
    const dataId = { id: this.#nextId++ };
    this.data.set(dataId, stored);
    return dataId;
  }

  #upload(stored: StoredTensor, { shape, dtype }: TensorInfo): void {
    if (dtype === "string" || dtype === "complex64") {
      throw new KernelFailureError(`backend simd: a tensor of type ${dtype} has no float values`);
    }
    const values = stored.values as backend_util.TypedArray;
    const { length } = values;
    const pointer = this.#allocate(4 * length, `a tensor of shape [${shape.join(", ")}]`);
    this.runtime.floats(pointer, length).set(values);
    stored.placeOnHeap(this.#buffer, pointer, length);
  }

  #allocate(bytes: number, label: string): number {
    const pointer = this.#heap.allocate(bytes);
    if (pointer !== undefined) return pointer;
    throw new HeapExhaustedError(label, bytes, this.#heap.largestFree(), this.#heap.capacity);
  }

  /** Views of the heap that a cpu kernel hands on (a contiguous slice, say) would outlive their block. */
  #owned(values: backend_util.BackendValues): backend_util.BackendValues {
    return ArrayBuffer.isView(values) && values.buffer === this.#buffer ? values.slice() : values;
  }
}
