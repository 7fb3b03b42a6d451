import { FactorizationError } from "../errors.ts";

/**
 * Row modes of matricizations, each given as text: "0 2", "0,2" or "0_2".
 *
 * @throws FactorizationError naming the flag and the text that is no list of modes of this order.
 */
export function parseMatricizations(texts: readonly string[], order: number): number[][] {
  return texts.map((text) => {
    const words = text.split(/[\s,_]+/).filter((word) => word !== "");
    const modes = words.map((word) => (/^\d+$/.test(word) ? Number(word) : NaN));
    const valid = modes.length > 0 && modes.length < order && new Set(modes).size === modes.length;
    if (valid && modes.every((mode) => mode < order)) return modes;
    throw new FactorizationError(
      `--additional_matricizations_to_track: "${text}" is no set of modes of a tensor of order ${order}; give different numbers from 0 to ${order - 1}, for example "0 1", but not all of them`,
    );
  });
}
