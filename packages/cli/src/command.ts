import type { FlagInfo } from "@implicit-rank/experiment-kit";
import type { Output } from "./output/output.ts";

/** Flags under one heading of the help. */
export interface FlagGroup {
  readonly title: string;
  readonly flags: readonly FlagInfo[];
}

/** Flag values as they were typed, by name; flags that were not given are absent. */
export type TypedFlags = Readonly<Record<string, string | boolean | readonly unknown[]>>;

/** A command line that was understood: what a command is run with. */
export interface Invocation {
  readonly flags: TypedFlags;
  readonly operands: readonly string[];
  readonly output: Output;
}

/** An argument that is no flag. */
export interface Operand {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
  /** The last operand may be given several times. */
  readonly variadic?: boolean;
}

/** What a command is, loaded only when it is asked for: importing the models takes a while. */
export interface CommandDefinition {
  readonly description: string;
  readonly operands?: readonly Operand[];
  readonly flagGroups: readonly FlagGroup[];
  /** Other names of flags: `seed` for `random_seed`. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  /** Returns the exit code. */
  run(invocation: Invocation): Promise<number>;
}

/** A line in the list of commands. */
export interface CommandEntry {
  readonly path: readonly [string, string] | readonly [string];
  readonly summary: string;
  /** Imports the command itself, which takes longer than knowing of it. */
  load(): Promise<CommandDefinition>;
}
