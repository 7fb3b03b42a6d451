/** One curve: `y` at `x`; both have one length, NaN in `y` leaves a gap. */
export interface LineSeries {
  readonly label: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** What a panel of a figure shows. */
export interface LinePanel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly yScale: "linear" | "log";
  readonly series: readonly LineSeries[];
}
