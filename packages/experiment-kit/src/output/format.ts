/** A number in four significant digits, as short as that can be written. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(4));
  const small = rounded !== 0 && Math.abs(rounded) < 1e-3;
  return small ? rounded.toExponential() : String(rounded);
}

/** Seconds as `h:mm:ss`, with fractions of a second if `decimals` is given. */
export function formatDuration(seconds: number, decimals = 0): string {
  if (!Number.isFinite(seconds)) return "-:--:--";
  const scale = 10 ** decimals;
  const ticks = Math.max(0, Math.round(seconds * scale));
  const whole = Math.floor(ticks / scale);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return decimals === 0 ? clock : `${clock}.${String(ticks % scale).padStart(decimals, "0")}`;
}

/** Epochs per second: whole above 100, else three digits. */
export function formatRate(epochsPerSecond: number): string {
  if (!Number.isFinite(epochsPerSecond)) return "-";
  return epochsPerSecond >= 100
    ? String(Math.round(epochsPerSecond))
    : String(Number(epochsPerSecond.toPrecision(3)));
}

/** The time of a log line: UTC, `yyyy-mm-dd hh:mm:ss,mmm`. */
export function formatLogTime(time: Date): string {
  return time.toISOString().replace("T", " ").replace("Z", "").replace(".", ",");
}
