/** Writes a number of an axis; `position` counts its ticks from 0. */
export type NumberFormat = (value: number, position: number) => string;

/** What is wrong with a format, in one line. */
export class NumberFormatError extends Error {
  override readonly name = "NumberFormatError";
}

/** The presentation of Python's format specification: `[[fill]align][sign][0][width][grouping][.precision][type]`. */
interface Presentation {
  readonly fill: string;
  readonly align: "<" | ">" | "^" | "=";
  readonly sign: "+" | "-" | " ";
  readonly width: number;
  readonly grouping: "" | "," | "_";
  readonly precision: number | undefined;
  readonly type: string;
}

type Piece = string | { readonly field: "value" | "position"; readonly as: Presentation };

/**
 * A format of Python: of `str.format` with one field (`{:.0%}`, `{x:.1f}`, `{x} ms`; `pos` is the tick's
 * number), or of the `%` operator (`%.2f`, `%d%%`). Minus signs are those of typography.
 *
 * @throws NumberFormatError if it is neither.
 */
export function parseNumberFormat(format: string): NumberFormat {
  const pieces = /[{}]/.test(format) ? parseBraces(format) : parsePercents(format);
  if (pieces.every((piece) => typeof piece === "string"))
    throw new NumberFormatError("has no place for the number, such as {:.1f}, {x:.0%} or %.2f");
  return (value, position) =>
    pieces
      .map((piece) =>
        typeof piece === "string"
          ? piece
          : piece.field === "value"
            ? present(value, piece.as)
            : present(position, { ...piece.as, type: piece.as.type || "d" }),
      )
      .join("");
}

function parseBraces(format: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let rest = format;
  while (rest !== "") {
    const text = /^(?:[^{}]|\{\{|\}\})+/.exec(rest)?.[0] ?? "";
    if (text !== "") pieces.push(text.replaceAll("{{", "{").replaceAll("}}", "}"));
    rest = rest.slice(text.length);
    if (rest === "") break;
    const field = /^\{(\w*)(?::([^{}]*))?\}/.exec(rest);
    if (field === null)
      throw new NumberFormatError(
        "has a brace that opens no field such as {:.1f} or {x:.0%} (a brace as text is {{ or }})",
      );
    const [whole, name = "", specification = ""] = field;
    if (!["", "0", "x", "pos"].includes(name))
      throw new NumberFormatError(`has the field {${name}}; the number is {} or {x}`);
    pieces.push({
      field: name === "pos" ? "position" : "value",
      as: parsePresentation(specification, whole),
    });
    rest = rest.slice(whole.length);
  }
  return pieces;
}

function parsePresentation(specification: string, field: string): Presentation {
  const match =
    /^(?:(.)?([<>=^]))?([-+ ])?(0)?(\d{1,2})?([,_])?(?:\.(\d{1,2}))?([eEfFgGn%d])?$/u.exec(
      specification,
    );
  if (match === null)
    throw new NumberFormatError(
      `has the field ${field}, which is no format of a number such as {:.1f}, {:,.0f}, {:.0%} or {:.2e}`,
    );
  const [, fill, align, sign, zero, width, grouping, precision, type] = match;
  return {
    fill: fill ?? (zero === undefined ? " " : "0"),
    align: (align ?? (zero === undefined ? ">" : "=")) as Presentation["align"],
    sign: (sign ?? "-") as Presentation["sign"],
    width: Number(width ?? 0),
    grouping: (grouping ?? "") as Presentation["grouping"],
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? "",
  };
}

function parsePercents(format: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const [piece] of format.matchAll(/%%|%[^%a-zA-Z]*[a-zA-Z]?|[^%]+/g)) {
    if (!piece.startsWith("%") || piece === "%%") {
      pieces.push(piece.replace("%%", "%"));
      continue;
    }
    const match = /^%([-+ 0]*)(\d{1,2})?(?:\.(\d{1,2}))?([diufFeEgG])$/.exec(piece);
    if (match === null)
      throw new NumberFormatError(
        `has ${piece}, which is no format of a number such as %.2f, %d or %.1e (a percent sign is %%)`,
      );
    const [, flags = "", width, precision, type = ""] = match;
    const isLeft = flags.includes("-");
    const isZero = flags.includes("0") && !isLeft;
    const isInteger = /[diu]/.test(type);
    pieces.push({
      field: "value",
      as: {
        fill: isZero ? "0" : " ",
        align: isLeft ? "<" : isZero ? "=" : ">",
        sign: flags.includes("+") ? "+" : flags.includes(" ") ? " " : "-",
        width: Number(width ?? 0),
        grouping: "",
        precision: isInteger || precision === undefined ? undefined : Number(precision),
        type: isInteger ? "d" : type,
      },
    });
  }
  return pieces;
}

function present(number: number, as: Presentation): string {
  const value = as.type === "d" ? Math.trunc(number) || 0 : number;
  const digits = group(digitsOf(Math.abs(value), as), as.grouping);
  const isNegative = value < 0 || Object.is(value, -0);
  const sign = isNegative ? "−" : as.sign === "-" ? "" : as.sign;
  const missing = Math.max(0, as.width - sign.length - digits.length);
  const before = as.align === "^" ? Math.floor(missing / 2) : as.align === "<" ? 0 : missing;
  if (as.align === "=") return sign + as.fill.repeat(missing) + digits;
  return as.fill.repeat(before) + sign + digits + as.fill.repeat(missing - before);
}

function digitsOf(value: number, { type, precision }: Presentation): string {
  switch (type) {
    case "d":
      return value.toFixed(0);
    case "f":
    case "F":
      return fixed(value, precision ?? 6);
    case "e":
    case "E":
      return exponential(value, precision ?? 6, type);
    case "%":
      return `${fixed(100 * value, precision ?? 6)}%`;
    case "":
      return precision === undefined ? plain(value) : decimal(general(value, precision, "e"));
    default:
      return general(value, precision ?? 6, type === "G" ? "E" : "e");
  }
}

/** Python rounds ties to the even digit, `toFixed` away from zero. */
function fixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  const exact = value.toFixed(Math.min(100, decimals + 30));
  const isTie = new RegExp(`^\\d+\\.\\d{${decimals}}50*$`).test(exact);
  if (!isTie || Number(text.at(-1)) % 2 === 0) return text;
  return exact.slice(0, decimals === 0 ? exact.indexOf(".") : exact.indexOf(".") + decimals + 1);
}

/** At least two digits of the exponent, as in Python. */
function exponential(value: number, precision: number, letter: string): string {
  return value
    .toExponential(precision)
    .replace(/e([+-])(\d)$/, "e$10$2")
    .replace("e", letter);
}

/** `g`: that many significant digits, without zeros at the end; an exponent where the number is large or small. */
function general(value: number, precision: number, letter: string): string {
  const digits = Math.max(1, precision);
  const [mantissa = "", exponent = "0"] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  const withoutZeros = (text: string): string =>
    text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  if (power >= -4 && power < digits) return withoutZeros(value.toFixed(digits - 1 - power));
  const shortened = Number(withoutZeros(mantissa));
  return `${String(shortened)}${exponential(10 ** power, 0, letter).slice(1)}`;
}

/** As `str` writes it: whole numbers of an axis keep their `.0` in Python. */
function plain(value: number): string {
  if (value !== 0 && (value < 1e-4 || value >= 1e16)) return exponentialOf(String(value), value);
  return decimal(String(value));
}

const decimal = (text: string): string => (/[.e]/.test(text) ? text : `${text}.0`);

function exponentialOf(text: string, value: number): string {
  const shortest = text.includes("e") ? text : value.toExponential();
  return shortest.replace(/e([+-])(\d)$/, "e$10$2");
}

function group(digits: string, separator: string): string {
  if (separator === "") return digits;
  const [whole = ""] = /^\d+/.exec(digits) ?? [];
  return whole.replaceAll(/\B(?=(\d{3})+$)/g, separator) + digits.slice(whole.length);
}
