/** Wrong use: a flag, value or file name that the user must correct. `message` is one line; cli exits with 2. */
export class MisuseError extends Error {
  readonly exitCode = 2;
  override readonly name = "MisuseError";
}

/** The run could not go on (disk, file, numbers). `message` is one line; cli exits with 1. */
export class RunError extends Error {
  readonly exitCode = 1;
  override readonly name = "RunError";
}

/** Whether an error carries a one-line message meant for the user (see docs/contracts.md, Errors). */
export function isUserError(error: unknown): error is Error & { readonly exitCode: 1 | 2 } {
  return (
    error instanceof Error && "exitCode" in error && (error.exitCode === 1 || error.exitCode === 2)
  );
}

/** What an error says, on one line: JSON.parse quotes the text around a mistake with its line breaks. */
export function lineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, " ");
}

/** Turns a file-system error into one line that names the file, what failed and the remedy. */
export function fileError(path: string, action: string, cause: unknown): RunError {
  const code = errorCode(cause);
  const reason =
    code === undefined ? firstLine(cause) : (FILE_REASONS[code] ?? `${code}: ${firstLine(cause)}`);
  return new RunError(`${path}: cannot ${action}: ${reason}`, { cause });
}

/** The system's error code (`ENOENT`, …), if the error has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied; choose a folder that you may write to",
  EPERM: "not permitted; choose a folder that you may write to",
  EROFS: "the file system is read-only; choose another folder",
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the disk quota is used up; free some space",
  ENOTDIR: "a part of the path is a file, not a folder",
  EISDIR: "it is a folder, not a file",
  EEXIST: "it exists already",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
  EIO: "the disk reported an input/output error; check the disk",
};

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? "";
}
