import type { FlagInfo } from "@implicit-rank/experiment-kit";

/** A flag's default as the tables of the documents show it: "required", "off", or the value as it is typed. */
export function defaultText(flag: FlagInfo): string {
  const { default: value } = flag;
  if (flag.required) return "required";
  // The number of cores is the default, which is another one on each machine.
  if (flag.name === "workers") return "the cores";
  if (value === undefined || value === null || value === "") return "";
  if (value === false) return "off";
  if (Array.isArray(value)) return value.length === 0 ? "" : `\`${value.join(" ")}\``;
  return `\`${typeof value === "number" ? numberText(value) : String(value)}\``;
}

/** 5e-5 rather than 0.00005. */
function numberText(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}
