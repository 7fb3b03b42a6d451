import ndarray, { type NdArray } from "ndarray";
import { FactorizationError } from "../errors.ts";
import type { Floats } from "../model/types.ts";
import { contiguous } from "./contiguous.ts";

/**
 * The matrix of a tensor whose rows run over the indices of `rowModes` and whose columns run over
 * those of the other modes, in ascending order; in both the last mode runs fastest. The order of
 * `rowModes` permutes rows, so it does not change singular values.
 *
 * @throws FactorizationError if a mode is out of range or named twice, or if rows or columns would
 * have no modes.
 */
export function matricization<Data extends Floats>(
  tensor: NdArray<Data>,
  rowModes: readonly number[],
): NdArray<Data> {
  validateModes(rowModes, tensor.shape.length);
  const columnModes = complement(rowModes, tensor.shape.length);
  const sizeOf = (modes: readonly number[]): number =>
    modes.reduce((product, mode) => product * tensor.shape[mode], 1);
  const permuted = tensor.transpose(...rowModes, ...columnModes);
  return ndarray(contiguous(permuted), [sizeOf(rowModes), sizeOf(columnModes)]);
}

/** The modes of a tensor that are not in `modes`, ascending. */
export function complement(modes: readonly number[], order: number): number[] {
  return Array.from({ length: order }, (_, mode) => mode).filter((mode) => !modes.includes(mode));
}

/** @throws FactorizationError unless `modes` are 1 … order - 1 distinct modes of the tensor. */
export function validateModes(
  modes: readonly number[],
  order: number,
  flag = "--additional_matricizations_to_track",
): void {
  const wrong = modes.find((mode) => !Number.isInteger(mode) || mode < 0 || mode >= order);
  if (wrong !== undefined) {
    throw new FactorizationError(
      `${flag}: ${wrong} is not a mode of a tensor of order ${order}; give modes 0 … ${order - 1}`,
    );
  }
  if (new Set(modes).size !== modes.length) {
    throw new FactorizationError(`${flag}: ${modes.join(" ")} names a mode twice; give each once`);
  }
  if (modes.length === 0 || modes.length === order) {
    throw new FactorizationError(
      `${flag}: ${modes.length} of ${order} modes leave no rows or no columns; give 1 … ${order - 1} modes`,
    );
  }
}
