/** A value in four significant digits, as short as that can be written; "–" for none. */
export function formatValue(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (Number.isNaN(value)) return "NaN";
  const rounded = Number(value.toPrecision(4));
  const size = Math.abs(rounded);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return minus(rounded.toExponential());
  return minus(String(rounded));
}

/** 24,975 */
export function formatCount(value: number): string {
  return minus(value.toLocaleString("en-US"));
}

/** Seconds as "0.12 s", "34 s", "5 min 20 s", "3 h 12 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** An ISO time as "2026-01-31 12:00 UTC". */
export function formatTime(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(iso)
    ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
    : iso;
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 10⁻⁵ */
export function powerOfTen(exponent: number): string {
  const digits = String(Math.abs(exponent)).replaceAll(
    /\d/g,
    (digit) => SUPERSCRIPTS[Number(digit)]!,
  );
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

function minus(text: string): string {
  return text.replaceAll("-", "−");
}
