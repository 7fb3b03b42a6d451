/**
 * The value that a key with dots between its parts leads to, `last_tracked_values.val accuracy.value` for
 * example. Fields whose own names hold dots (`lr 0.1`) are found too: at each level the longest name that
 * leads to a value goes before. Undefined if none does.
 */
export function valueAt(content: unknown, key: string): unknown {
  if (content === null || typeof content !== "object") return undefined;
  const parts = key.split(".");
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join(".");
    if (!Object.hasOwn(content, name)) continue;
    const inner = (content as Readonly<Record<string, unknown>>)[name];
    const found = length === parts.length ? inner : valueAt(inner, parts.slice(length).join("."));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The keys of all values in an object that are numbers or texts, to suggest one of them. */
export function keysOf(content: unknown, prefix?: string): readonly string[] {
  if (typeof content === "number" || typeof content === "string")
    return prefix === undefined ? [] : [prefix];
  if (content === null || typeof content !== "object" || Array.isArray(content)) return [];
  return Object.entries(content).flatMap(([name, value]) =>
    keysOf(value, prefix === undefined ? name : `${prefix}.${name}`),
  );
}
