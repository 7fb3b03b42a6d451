import { readFile, writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { isUserError } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import { mutate } from "./mutate.ts";

/** A file that is damaged on purpose, and what reads it. */
export interface Damageable {
  readonly name: string;
  readonly file: string;
  readonly content: "binary" | "text";
  /** Everything that is told of the file's content. */
  read(): Promise<unknown>;
  /**
   * Whether other content may be taken for good, for formats without a checksum of any kind; default: never.
   * `given` is what the damaged file gave, `whole` what the good one gives.
   */
  mayDiffer?(given: unknown, whole: unknown): boolean;
  /** What is read answers for the file instead of refusing it: a list, a lock, a record of failure. */
  readonly isTolerant?: true;
  /** Part of the messages instead of the file's path, where that is not the one that users know. */
  readonly place?: string;
}

export interface Tally {
  readonly name: string;
  readonly isTolerant: boolean;
  readonly refused: number;
  /** The mutation changed nothing that is read. */
  readonly unchanged: number;
  /** Other content in a format that cannot tell. */
  readonly differs: number;
}

/**
 * Damages a file again and again and reads it. Each time the reader must give exactly what the whole file
 * gives, or one line for the user that names the file.
 *
 * @throws Error naming seed, number and kind of the first mutation for which it does something else.
 */
export async function checkReader(
  damageable: Damageable,
  seed: number,
  count: number,
): Promise<Tally> {
  const { name, file, content } = damageable;
  const whole = new Uint8Array(await readFile(file));
  const expected = await damageable.read();
  const tally = { refused: 0, unchanged: 0, differs: 0 };
  try {
    for (let number = 0; number < count; number++) {
      const random = createRandom(seed).fork(`${name} ${number}`);
      const { what, bytes } = mutate(whole, content, random);
      await writeFile(file, bytes);
      const outcome = await damageable.read().then(
        (given) => ({ given }),
        (error: unknown) => ({ error }),
      );
      const complain = (problem: string, cause?: unknown): Error =>
        new Error(`${name}, seed ${seed}, mutation ${number} (${what}): ${problem}`, { cause });
      if ("error" in outcome) {
        const problem = problemOfError(outcome.error, damageable.place ?? file);
        if (problem !== undefined) throw complain(problem, outcome.error);
        tally.refused++;
      } else if (isDeepStrictEqual(withPlainZeros(outcome.given), expected)) {
        tally.unchanged++;
      } else if (damageable.mayDiffer?.(outcome.given, expected) === true) {
        tally.differs++;
      } else {
        throw complain("other content was taken for good");
      }
    }
  } finally {
    await writeFile(file, whole);
  }
  return { name, isTolerant: damageable.isTolerant ?? false, ...tally };
}

/** -0, which JSON can hold, counts as 0. */
function withPlainZeros(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(withPlainZeros);
  if (
    typeof value !== "object" ||
    value === null ||
    Object.getPrototypeOf(value) !== Object.prototype
  )
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withPlainZeros(one)]));
}

/** What is wrong with an error as an answer to a user. */
export function problemOfError(error: unknown, place: string): string | undefined {
  if (!isUserError(error))
    return `no error for a user: ${String((error as Error)?.stack ?? error)}`;
  if (/[\r\n]/.test(error.message.replaceAll(place, "")))
    return `more than one line: ${JSON.stringify(error.message)}`;
  if (!error.message.includes(place))
    return `does not name ${place}: ${JSON.stringify(error.message)}`;
  return undefined;
}
