/** A data set that cannot be made, written or read. The message is one line that names flag or file, problem and remedy. */
export class DatasetError extends Error {
  readonly exitCode: 1 | 2;

  /** @param exitCode 2: a flag or path is wrong; 1: a file or the machine failed */
  constructor(message: string, exitCode: 1 | 2, options?: ErrorOptions) {
    super(message, options);
    this.name = "DatasetError";
    this.exitCode = exitCode;
  }
}

/** Makes the error of one part of a data set. */
export type Refuse = (field: string, problem: string) => DatasetError;

/** The errors of a damaged data set: exit code 1, and the remedy that all of them have. */
export function damagedDataset(path: string): Refuse {
  return (field, problem) =>
    new DatasetError(`${path}: ${field}: ${problem}; make the data set again`, 1);
}

/** A flag with a wrong value: exit code 2. */
export function flagError(flag: string, problem: string): DatasetError {
  return new DatasetError(`--${flag}: ${problem}`, 2);
}
