/** Wrong use of a factorization: one line with the flag or field, what is wrong and the remedy. */
export class FactorizationError extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 2) {
    super(message);
    this.name = "FactorizationError";
    this.exitCode = exitCode;
  }
}
