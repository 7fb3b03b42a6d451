import type { backend_util, DataType, TensorInfo } from "@tensorflow/tfjs-core";

/**
 * The values of a tensor: in a JavaScript array, on the heap, or in both when integers are also needed as
 * floats. The cpu backend's kernels read `values` and never see the difference.
 */
export class StoredTensor {
  readonly dtype: DataType;
  refCount: number;
  complexTensorInfos?: { real: TensorInfo; imag: TensorInfo };
  /** Address of the float32 values on the heap; 0 when they are not there. */
  pointer = 0;
  length = 0;
  #array: backend_util.BackendValues | undefined;
  #buffer: ArrayBufferLike | undefined;

  constructor(array: backend_util.BackendValues | undefined, dtype: DataType, refCount: number) {
    this.#array = array;
    this.dtype = dtype;
    this.refCount = refCount;
  }

  /** Undefined only for complex tensors, which have two tensors instead. */
  get values(): backend_util.BackendValues {
    if (this.#array === undefined && this.#buffer !== undefined) {
      this.#array = new Float32Array(this.#buffer, this.pointer, this.length);
    }
    return this.#array as backend_util.BackendValues;
  }

  /** From now on the float32 values are on the heap, and the array is given up if it held floats. */
  placeOnHeap(buffer: ArrayBufferLike, pointer: number, length: number): void {
    this.pointer = pointer;
    this.length = length;
    if (this.dtype !== "float32") return;
    this.#array = undefined;
    this.#buffer = buffer;
  }
}
