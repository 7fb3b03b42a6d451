/** What went wrong with a file, in the parts of its one-line message. */
export interface ArrayFileProblem {
  /** Path of the file, or the name given to `decodeSafetensors`. */
  readonly file: string;
  /** The part of the file concerned, "" for the whole. */
  readonly field: string;
  readonly problem: string;
  readonly remedy: string;
  /** 2: the user named a wrong or occupied path; 1: the file or the machine failed. */
  readonly exitCode: 1 | 2;
  readonly cause?: unknown;
}

/** A file that cannot be read or written. The message is one line: file, field, problem, remedy. */
export class ArrayFileError extends Error {
  readonly file: string;
  readonly field: string;
  readonly problem: string;
  readonly remedy: string;
  readonly exitCode: 1 | 2;

  constructor(problem: ArrayFileProblem) {
    const where = problem.field === "" ? problem.file : `${problem.file}: ${problem.field}`;
    super(`${where}: ${problem.problem}; ${problem.remedy}`, { cause: problem.cause });
    this.name = "ArrayFileError";
    this.file = problem.file;
    this.field = problem.field;
    this.problem = problem.problem;
    this.remedy = problem.remedy;
    this.exitCode = problem.exitCode;
  }
}

const WRITE_FAILURES: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  ENOSPC: ["the disk is full", "free space or choose another folder"],
  EDQUOT: ["the disk quota is used up", "free space or choose another folder"],
  EFBIG: ["the file is larger than allowed here", "raise the file-size limit or write less"],
  EACCES: ["permission denied", "choose a folder you may write to"],
  EPERM: ["permission denied", "choose a folder you may write to"],
  EROFS: ["the file system is read-only", "choose a folder you may write to"],
  ENOENT: ["its folder does not exist", "create the folder first"],
  ENOTDIR: ["part of its path is a file, not a folder", "choose another path"],
  EISDIR: ["it is a folder", "give the path of a file"],
  ENAMETOOLONG: ["its name is too long", "choose a shorter name"],
};

const READ_FAILURES: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  ENOENT: ["no such file", "check the path"],
  ENOTDIR: ["part of its path is a file, not a folder", "check the path"],
  EISDIR: ["it is a folder", "give the path of a file"],
  EACCES: ["permission denied", "make the file readable"],
  EPERM: ["permission denied", "make the file readable"],
};

const WRONG_PATH = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG"]);

/** Only the system's own errors are put into a user's words; those of a caller pass as they are. */
function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "errno" in error && "code" in error;
}

function systemError(
  file: string,
  error: unknown,
  action: string,
  failures: Readonly<Record<string, readonly [string, string]>>,
): unknown {
  if (!isSystemError(error)) return error;
  const { code } = error;
  const detail = error.message.split("\n")[0]!;
  const [problem, remedy] = failures[code] ?? [detail, "check the disk and the path"];
  return new ArrayFileError({
    file,
    field: "",
    problem: `cannot ${action}: ${problem}`,
    remedy,
    exitCode: WRONG_PATH.has(code) ? 2 : 1,
    cause: error,
  });
}

/** The error of a failed write (disk full, unwritable folder, …) in a user's words. */
export function writeError(file: string, error: unknown): unknown {
  return systemError(file, error, "write", WRITE_FAILURES);
}

/** The error of a failed read (missing file, folder instead of file, …) in a user's words. */
export function readError(file: string, error: unknown): unknown {
  return systemError(file, error, "read", READ_FAILURES);
}

/** A function that makes "this file is damaged" errors (exit code 1) with a common remedy. */
export function damagedFile(file: string, remedy: string) {
  return (field: string, problem: string): ArrayFileError =>
    new ArrayFileError({ file, field, problem, remedy, exitCode: 1 });
}
