import type { D3, Scale } from "../../plots/d3-types.ts";
import { axisScale, xTicks } from "../panel-axes.ts";
import type { AxisTicks, Limits, Tick } from "../panel-axes.ts";
import { richText } from "../rich-text.ts";
import type { GroupPlotFlags } from "./group-plot-flags.ts";
import { shortTexts } from "./short-texts.ts";

/** Ticks of the x axis; texts that have no room side by side are turned by the angle (degrees). */
export interface TurnedTicks extends AxisTicks {
  readonly angle: number;
}

const ANGLES = [0, 30, 90];
/** More x values than this get round numbers instead of their own. */
const MOST_OWN_TICKS = 12;

/**
 * Where the flags say, else at the x values themselves while they have room; numbers without room have
 * round ones between them.
 *
 * @param length of the axis in points.
 */
export function groupXTicks(
  d3: D3,
  flags: GroupPlotFlags,
  xValues: readonly (number | string)[],
  limits: Limits,
  length: number,
  fontSize: number,
): TurnedTicks {
  const isLog = flags.x_log_scale;
  const scale = axisScale(d3, limits, isLog).range([0, length]);
  const inside = ({ value }: Tick): boolean => value >= limits[0] && value <= limits[1];
  const tick = (value: number, text: string): Tick => ({ value, text: richText(text, fontSize) });
  const given = flags.x_axis_ticks;
  if (given.length > 0) {
    const at = flags.use_x_axis_ticks_values ? given.map(Number) : placesOf(xValues);
    return turned(at.map((value, i) => tick(value, given[i]!)).filter(inside), scale, fontSize);
  }
  if (xValues.every((x) => typeof x === "string")) {
    const whole = xValues.map((x, i) => tick(i, plain(x)));
    if (fits(whole, scale, 0, fontSize)) return { major: whole, minor: [], angle: 0 };
    return turned(
      shortTexts(xValues).map((x, i) => tick(i, plain(x))),
      scale,
      fontSize,
    );
  }
  const own = ownTexts(placesOf(xValues), isLog)
    .map(([x, text]) => tick(x, text))
    .filter(inside);
  if (own.length <= MOST_OWN_TICKS && fits(own, scale, 0, fontSize))
    return { major: own, minor: [], angle: 0 };
  const config = { x_ticks: null, x_ticks_labels: null, x_log_scale: isLog };
  return { ...xTicks(d3, { ...config, ticks_font_size: fontSize }, limits, length), angle: 0 };
}

const placesOf = (xValues: readonly (number | string)[]): readonly number[] =>
  xValues.map((x, i) => (typeof x === "number" ? x : i));

/** Values are no formulas, whatever signs they hold. */
const plain = (text: string): string => text.replaceAll("$", "\\$");

/** Powers of ten are written as such on a logarithmic axis that goes far. */
function ownTexts(
  values: readonly number[],
  isLog: boolean,
): readonly (readonly [number, string])[] {
  const powers = values.map((value) => Math.round(Math.log10(value)));
  const arePowers = values.every((value, i) => Math.abs(value / 10 ** powers[i]! - 1) < 1e-9);
  const isFar = powers.some((power) => power < -3 || power > 4);
  if (isLog && arePowers && isFar) return values.map((value, i) => [value, `$10^{${powers[i]!}}$`]);
  return values.map((value) => [value, numberText(value)]);
}

/** 0.1, 2500, 10⁻⁷; what floating point adds is left off. */
function numberText(value: number): string {
  const text = String(Number(value.toPrecision(9))).replaceAll("-", "−");
  const [mantissa, exponent] = text.split("e");
  if (exponent === undefined) return text;
  const power = `10^{${exponent.replace("+", "").replace("−", "-")}}`;
  return mantissa === "1" ? `$${power}$` : `$${mantissa!.replace("−", "-")}\\cdot ${power}$`;
}

/** The smallest angle at which the texts have room; if there is none, only some of the texts are shown. */
function turned(ticks: readonly Tick[], scale: Scale, fontSize: number): TurnedTicks {
  const angle = ANGLES.find((candidate) => fits(ticks, scale, candidate, fontSize));
  if (angle !== undefined) return { major: ticks, minor: [], angle };
  for (let every = 2; ; every++) {
    const major = ticks.filter((_, i) => i % every === 0);
    if (major.length === 1 || fits(major, scale, 90, fontSize))
      return { major, minor: ticks.map(({ value }) => value), angle: 90 };
  }
}

function fits(ticks: readonly Tick[], scale: Scale, angle: number, fontSize: number): boolean {
  return ticks.every(({ value, text }, i) => {
    const next = ticks[i + 1];
    if (next === undefined) return true;
    const distance = Math.abs(scale(next.value) - scale(value));
    if (angle === 0) return distance > (text.width + next.text.width) / 2 + 0.7 * fontSize;
    return distance > (1.15 * fontSize) / Math.sin((angle * Math.PI) / 180);
  });
}

/** How far turned texts reach below the ticks and to the left of the axis. */
export function reachOf(
  { major, angle }: TurnedTicks,
  place: (value: number) => number,
): { readonly below: number; readonly left: number } {
  const [sin, cos] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
  const reach = (of: (tick: Tick) => number): number => Math.max(0, ...major.map(of));
  return {
    below: reach(({ text }) => sin * text.width + 0.7 * cos * text.fontSize),
    left: reach(
      ({ value, text }) =>
        (angle === 0 ? text.width / 2 : cos * text.width + sin * text.descent) - place(value),
    ),
  };
}
