/** What JSON can hold. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A number as JSON that keeps NaN and infinities (which JSON lacks) as texts. */
export function numberToJson(value: number): Json {
  return Number.isFinite(value) ? value : String(value);
}

/** The inverse of `numberToJson`; anything else gives NaN. */
export function numberFromJson(value: Json | undefined): number {
  if (typeof value === "number") return value;
  return value === "Infinity" ? Infinity : value === "-Infinity" ? -Infinity : Number.NaN;
}

/** A number as plain JSON for people and other tools: null where it is NaN or infinite. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A field of a JSON object, `undefined` if it is missing or the value is no object. */
export function jsonField(value: Json | undefined, key: string): Json | undefined {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
}
