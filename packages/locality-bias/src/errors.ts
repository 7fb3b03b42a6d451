/** Wrong use of a model, a regularizer or a file of weights: one line, what is wrong and the remedy. */
export class LocalityBiasError extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 2, options?: ErrorOptions) {
    super(message, options);
    this.name = "LocalityBiasError";
    this.exitCode = exitCode;
  }
}
