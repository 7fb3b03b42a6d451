import { KernelArgumentError } from "./errors.ts";
import type { Field, Operation } from "./operation-fields.ts";

const LARGEST_SIZE = 2 ** 31 - 1;

/** Writes one field of an operation's record. Throws KernelArgumentError for an unknown field or an impossible value. */
export function writeField(
  view: DataView,
  operation: Operation,
  name: string,
  value: number,
  memoryBytes: number,
): void {
  const field = operation.fields[name];
  if (field === undefined) {
    const names = Object.keys(operation.fields).join(", ");
    throw new KernelArgumentError(`${operation.name} has no field ${name}; it has ${names}`);
  }
  const problem = problemWith(field, value, memoryBytes);
  if (problem !== undefined)
    throw new KernelArgumentError(`${operation.name}.${name} is ${value}; give ${problem}`);
  const at = 4 * field.word;
  if (field.kind === "single") view.setFloat32(at, value, true);
  else if (field.kind === "double") view.setFloat64(at, value, true);
  else view.setUint32(at, value, true);
}

function problemWith(field: Field, value: number, memoryBytes: number): string | undefined {
  switch (field.kind) {
    case "single":
    case "double":
      return Number.isNaN(value) ? "a number" : undefined;
    case "pointer":
    case "optional":
      if (field.kind === "optional" && value === 0) return undefined;
      return Number.isInteger(value) && value > 0 && value % 4 === 0 && value <= memoryBytes
        ? undefined
        : `a byte offset that allocate() returned, a multiple of 4 below ${memoryBytes}`;
    default:
      return Number.isInteger(value) && value >= 0 && value <= LARGEST_SIZE
        ? undefined
        : "a non-negative whole number below 2^31";
  }
}
