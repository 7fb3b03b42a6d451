// What the description of an operation's record is made of.

export type FieldKind =
  "size" | "stride" | "pointer" | "optional" | "single" | "double" | "switch" | "loss";

export interface Field {
  readonly word: number;
  readonly kind: FieldKind;
}

export interface Operation {
  readonly name: string;
  readonly opcode: number;
  readonly fields: Readonly<Record<string, Field>>;
}

export function operation(name: string, opcode: number, fields: Record<string, Field>): Operation {
  return { name, opcode, fields };
}

export const size = (word: number): Field => ({ word, kind: "size" });
export const stride = (word: number): Field => ({ word, kind: "stride" });
export const pointer = (word: number): Field => ({ word, kind: "pointer" });
export const optional = (word: number): Field => ({ word, kind: "optional" });
export const single = (word: number): Field => ({ word, kind: "single" });
export const double = (word: number): Field => ({ word, kind: "double" });
/** One of a list of kinds, by its position. */
export const choice = (word: number): Field => ({ word, kind: "switch" });
