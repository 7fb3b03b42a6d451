/** A name from a file as it may stand in a one-line message: quoted, escaped and not too long. */
export function quoted(name: string): string {
  const short = name.length > 60 ? `${name.slice(0, 59)}…` : name;
  return JSON.stringify(short).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses UTF-8 JSON that must be one object in which no key of any object is given twice (`JSON.parse`
 * would keep the last one silently, other readers the first).
 */
export function parseJsonObject(
  bytes: Uint8Array,
  refuse: (problem: string) => Error,
): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw refuse("is not valid JSON");
  }
  if (!isObject(value)) throw refuse("is not a JSON object");
  if (countWrittenKeys(text) !== countKeys(value)) throw refuse("gives a name twice");
  return value;
}

/** Keys as written in valid JSON: one for each colon outside a string. */
function countWrittenKeys(text: string): number {
  let keys = 0;
  let insideString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (insideString && character === "\\") i++;
    else if (character === '"') insideString = !insideString;
    else if (character === ":" && !insideString) keys++;
  }
  return keys;
}

function countKeys(root: unknown): number {
  const pending: unknown[] = [root];
  let keys = 0;
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== "object" || value === null) continue;
    const children = Object.values(value);
    if (!Array.isArray(value)) keys += children.length;
    for (const child of children) pending.push(child);
  }
  return keys;
}
