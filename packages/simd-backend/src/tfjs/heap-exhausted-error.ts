/** A tensor for which the backend's heap has no room. */
export class HeapExhaustedError extends Error {
  override readonly name = "HeapExhaustedError";
  readonly exitCode = 1;
  readonly bytesNeeded: number;
  readonly bytesLeft: number;

  constructor(label: string, bytesNeeded: number, bytesLeft: number, capacity: number) {
    super(
      `backend simd: ${label} needs ${bytesNeeded} bytes but the longest free stretch is ${bytesLeft} of ${capacity}; ` +
        "use a smaller batch, dispose of tensors, or register the backend with more bytes",
    );
    this.bytesNeeded = bytesNeeded;
    this.bytesLeft = bytesLeft;
  }
}
