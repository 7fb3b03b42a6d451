/** A request for memory that the arena of a runtime cannot meet. */
export class ArenaExhaustedError extends Error {
  override readonly name = "ArenaExhaustedError";
  readonly exitCode = 1;
  readonly label: string;
  readonly bytesNeeded: number;
  readonly bytesLeft: number;

  constructor(label: string, bytesNeeded: number, bytesLeft: number) {
    super(
      `kernel memory: ${label} needs ${bytesNeeded} bytes but ${bytesLeft} are left; create the runtime with more bytes`,
    );
    this.label = label;
    this.bytesNeeded = bytesNeeded;
    this.bytesLeft = bytesLeft;
  }
}

/** A runtime whose memory WebAssembly cannot address or the system does not have. */
export class MemoryUnavailableError extends Error {
  override readonly name = "MemoryUnavailableError";
  readonly exitCode = 1;
  readonly bytesNeeded: number;
  readonly bytesAvailable: number;

  constructor(bytesNeeded: number, bytesAvailable: number, limit: string) {
    super(
      `kernel memory: ${bytesNeeded} bytes are needed but ${bytesAvailable} are available (${limit}); use smaller sizes or another engine`,
    );
    this.bytesNeeded = bytesNeeded;
    this.bytesAvailable = bytesAvailable;
  }
}

/** The kernels cannot run here: no WebAssembly SIMD, or a variant was demanded that the engine lacks. */
export class KernelsUnavailableError extends Error {
  override readonly name = "KernelsUnavailableError";
  readonly exitCode = 1;
}

/** An operation, an option or a field with an impossible value. */
export class KernelArgumentError extends Error {
  override readonly name = "KernelArgumentError";
  readonly exitCode = 2;
}

/** A program that stopped in the middle, for example because an index led outside the memory. */
export class KernelFailureError extends Error {
  override readonly name = "KernelFailureError";
  readonly exitCode = 1;
}
