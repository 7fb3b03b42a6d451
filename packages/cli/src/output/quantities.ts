const byteUnits = ["bytes", "KiB", "MiB", "GiB"];

/** "512 bytes", "64.2 KiB". */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let size = bytes;
  while (size >= 1024 && unit < byteUnits.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${byteUnits[unit]}`;
}

/** Short for tables: four significant digits, "-" for what is missing. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return "-";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const isSmall = Math.abs(value) < 1e-3;
  return isSmall ? value.toExponential(3) : String(Number(value.toPrecision(4)));
}

/** Two digits of a deviation are enough. */
export function formatDeviation(value: number): string {
  return value !== 0 && value < 1e-3
    ? value.toExponential(1)
    : String(Number(value.toPrecision(2)));
}

/** "45 s", "12 min", "3 h", "2 d". */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
