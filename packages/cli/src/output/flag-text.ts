import { shellWord } from "./shell-word.ts";

/** A flag as it is typed: `--ht_layer_widths 6 5`; each group of a grouped one has the name before it. */
export function flagText(name: string, value: unknown, isGrouped = false): string {
  if (value === true) return `--${name}`;
  const words = (Array.isArray(value) ? value : [value]).map(String);
  if (isGrouped) return words.map((group) => `--${name} ${group}`).join(" ");
  return [`--${name}`, ...words.map(shellWord)].join(" ");
}
