/** What HTML comments before a block say about it; README.md in this folder's parent lists them. */
export interface Markers {
  readonly notRun?: string;
  readonly shortened: readonly Replacement[];
  readonly before?: string;
  readonly continues: boolean;
  readonly exitCode: number;
  readonly interruptAt?: string;
  readonly file?: string;
  readonly keysOf?: string;
  readonly namesOf?: string;
}

export interface Replacement {
  readonly from: string;
  readonly to: string;
}

const names = [
  "not run",
  "shortened",
  "before",
  "continues",
  "exit code",
  "Ctrl-C",
  "file",
  "keys of",
  "names of",
] as const;
type Name = (typeof names)[number];

/** @throws Error for a comment that begins like a marker and is none. */
export function readMarkers(comments: readonly string[]): Markers {
  const said = comments.flatMap((comment) => readMarker(comment));
  const one = (name: Name): string | undefined => {
    const texts = said.filter((marker) => marker.name === name).map(({ text }) => text);
    if (texts.length > 1) throw new Error(`<!-- ${name} -->: is given twice`);
    return texts[0];
  };
  const interrupt = one("Ctrl-C");
  return {
    ...optional("notRun", one("not run")),
    ...optional("before", one("before")),
    ...optional("file", one("file")),
    ...optional("keysOf", one("keys of")),
    ...optional("namesOf", one("names of")),
    ...optional("interruptAt", interrupt === undefined ? undefined : quoted(interrupt)),
    shortened: said.filter(({ name }) => name === "shortened").flatMap(({ text }) => pairs(text)),
    continues: one("continues") !== undefined,
    exitCode: Number(one("exit code") ?? 0),
  };
}

function readMarker(comment: string): readonly { name: Name; text: string }[] {
  const body = comment.replace(/^<!--/, "").replace(/-->$/, "").trim();
  const name = names.find((candidate) => new RegExp(`^${candidate}(:|$)`).test(body));
  if (name === undefined) return [];
  const text = body.slice(name.length + 1).trim();
  if (text === "" && name !== "continues") throw new Error(`<!-- ${body} -->: says nothing`);
  return [{ name, text }];
}

function optional<Key extends string>(key: Key, text: string | undefined) {
  return (text === undefined ? {} : { [key]: text }) as { readonly [name in Key]?: string };
}

/** `when "Starting fit" is printed` → `Starting fit` */
function quoted(text: string): string {
  const found = /^when "(.+)" is printed$/.exec(text);
  if (found === null) throw new Error(`<!-- Ctrl-C: ${text} -->: must be: when "TEXT" is printed`);
  return found[1]!;
}

/** `--epochs 5000 -> 20, A -> B`; a right side without the flag of its left side gets it. */
function pairs(text: string): readonly Replacement[] {
  // A comma without an arrow after it belongs to the right side before it.
  const pieces = text.split(/,\s+/).reduce<string[]>((found, piece) => {
    if (/\s->/.test(piece)) return [...found, piece];
    return [...found.slice(0, -1), `${found.at(-1) ?? ""}, ${piece}`];
  }, []);
  return pieces.map((pair) => {
    const [from, to, ...more] = pair.split(/\s+->(?:\s+|$)/);
    if (from === undefined || to === undefined || more.length > 0)
      throw new Error(`<!-- shortened: ${text} -->: must be: A -> B, C -> D`);
    const flag = /^--[a-z_]+(?= )/.exec(from)?.[0];
    return { from, to: flag === undefined || to.startsWith("--") ? to : `${flag} ${to}` };
  });
}
