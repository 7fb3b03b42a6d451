/** Wrong use of the command line; the message is one line. */
export class UsageError extends Error {
  readonly exitCode = 2;
  override readonly name = "UsageError";
}

/** An error whose message is one line meant for the user (docs/contracts.md, Errors). */
export interface UserError extends Error {
  readonly exitCode: 1 | 2;
}

export function isUserError(error: unknown): error is UserError {
  return (
    error instanceof Error && "exitCode" in error && (error.exitCode === 1 || error.exitCode === 2)
  );
}

/** What to print of an error: a line for the user, or the stack of what must be a defect. */
export function describeError(error: unknown): string {
  if (isUserError(error)) return `error: ${onOneLine(error.message)}`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This should not happen; please report it with these lines:\n${stack}`;
}

/** Paths and values may hold line breaks and terminal escapes; a message shows them as \n and so on. */
function onOneLine(message: string): string {
  return message.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
