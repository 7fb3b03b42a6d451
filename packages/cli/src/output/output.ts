/** Something that takes text: a stream of Node, or a stand-in of it. */
export interface TextSink {
  /** Takes a piece of text; nothing is made of what it returns. */
  write(text: string): unknown;
}

/** Where the program writes: results to `stdout`, everything else to `stderr`. */
export interface Streams {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
}

/** How much is printed, and whether as JSON. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** Where the lines of a command go: the result to stdout, everything else to stderr. */
export interface Output extends OutputOptions {
  /** The result: `value` with --json, else the lines (a quiet command prints `essential` only). */
  result(value: unknown, lines: readonly string[], essential?: string): void;
  /** What a person may want to know; hidden by --quiet. */
  note(line: string): void;
  /** Details, shown by --verbose. */
  detail(line: string): void;
}

export function createOutput(streams: Streams, options: OutputOptions): Output {
  const { json, quiet, verbose } = options;
  const print = (stream: TextSink, line: string): void => void stream.write(`${line}\n`);
  return {
    ...options,
    result(value, lines, essential) {
      if (json) print(streams.stdout, JSON.stringify(value, finiteOrText, 2));
      else if (!quiet) for (const line of lines) print(streams.stdout, line);
      else if (essential !== undefined) print(streams.stdout, essential);
    },
    note(line) {
      if (!quiet) print(streams.stderr, line);
    },
    detail(line) {
      if (verbose && !quiet) print(streams.stderr, line);
    },
  };
}

/** JSON has no NaN and infinities, and silently makes them null: they become texts. */
function finiteOrText(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
