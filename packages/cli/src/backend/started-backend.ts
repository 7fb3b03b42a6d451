/** A tfjs backend that is ready and selected. */
export interface StartedBackend {
  readonly name: string;
  /** That share an operation. */
  readonly threads: number;
}

export interface BackendRequest {
  /** A positive number. */
  readonly threads: number;
  /** A line for the log: a fallback, a setting without effect. */
  log(line: string): void;
}

/** A backend that is not installed (2: the user can install it) or does not start here (1). */
export class BackendError extends Error {
  readonly exitCode: 1 | 2;
  override readonly name = "BackendError";

  constructor(message: string, exitCode: 1 | 2, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
