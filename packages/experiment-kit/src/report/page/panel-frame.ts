import type { Chart, Reading } from "./chart.ts";
import { breakable, button, html, setText, svg } from "./elements.ts";
import { runBadge } from "./legend.ts";
import { formatCount } from "./numbers.ts";
import type { ScaleKind } from "./view-state.ts";

export interface PanelFrameOptions {
  readonly tag: string;
  readonly index: number;
  readonly chart: Chart;
  readonly legend: HTMLElement;
  onToggleLog(): void;
  onResetZoom(): void;
}

/** The curve that a reading's label names. */
export interface LabelledCurve {
  readonly name: string;
  readonly value: string;
  /** Number of its run, if there are several. */
  readonly run: number | undefined;
}

/** What is around a chart: title, tools, the label of a reading, the legend. */
export interface PanelFrame {
  readonly element: HTMLElement;
  /** Pixels that the chart may take. */
  size(): { readonly width: number; readonly height: number };
  showTools(scale: ScaleKind, isZoomed: boolean): void;
  /** In place of curves; empty: nothing. */
  showEmpty(text: string): void;
  showLabel(reading: Reading | undefined, curve: LabelledCurve | undefined): void;
}

export function createPanelFrame(options: PanelFrameOptions): PanelFrame {
  const { tag, index, chart, legend } = options;
  const headingId = `chart-${index}`;
  const logSwitch = button({ class: "tool" }, options.onToggleLog, "Log");
  const resetButton = button({ class: "tool", hidden: true }, options.onResetZoom, "Reset zoom");
  const label = html("div", { class: "reading", "aria-hidden": "true", hidden: true });
  const empty = html("p", { class: "empty", hidden: true });
  const plot = html("div", { class: "plot" }, chart.element, label, empty);
  const element = html("section", {
    class: "panel",
    "data-tag": tag,
    "aria-labelledby": headingId,
  });
  const tools = { role: "group", class: "tools", "aria-labelledby": headingId };
  element.append(
    html(
      "header",
      {},
      html("h3", { id: headingId }, breakable(tag)),
      html("div", tools, resetButton, logSwitch, sizeSwitch(element)),
    ),
    plot,
    legend,
  );
  return {
    element,
    size() {
      const width = Math.max(220, Math.round(plot.clientWidth));
      const most = element.classList.contains("large") ? 520 : 280;
      return { width, height: Math.round(Math.min(most, Math.max(200, width * 0.6))) };
    },
    showTools(scale, isZoomed) {
      logSwitch.setAttribute("aria-pressed", String(scale === "log"));
      resetButton.hidden = !isZoomed;
    },
    showEmpty(text) {
      setText(empty, text);
      empty.hidden = text === "";
    },
    showLabel(reading, curve) {
      const { axes } = chart;
      label.hidden = reading === undefined || axes === undefined;
      if (reading === undefined || axes === undefined) return;
      label.replaceChildren(...labelContent(reading, curve));
      const { frame, x } = axes;
      const isRight = x.pixel(reading.epoch) > (frame.left + frame.right) / 2;
      label.classList.toggle("on-left", isRight);
      label.style.setProperty("--inset", `${isRight ? frame.left + 6 : 18}px`);
    },
  };
}

function labelContent(reading: Reading, curve: LabelledCurve | undefined): readonly Node[] {
  const epoch = html("span", { class: "epoch" }, `epoch ${formatCount(reading.epoch)}`);
  if (curve === undefined) return [epoch];
  const badge = curve.run === undefined ? null : runBadge(curve.run);
  return [
    epoch,
    html("span", { class: "what" }, badge, html("span", {}, curve.name)),
    html("strong", {}, curve.value),
  ];
}

function sizeSwitch(panel: HTMLElement): HTMLElement {
  const element = button(
    { class: "tool", "aria-pressed": "false", "aria-label": "Enlarge", title: "Enlarge" },
    () => element.setAttribute("aria-pressed", String(panel.classList.toggle("large"))),
    svg(
      "svg",
      { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" },
      svg("path", { class: "icon", d: "M7.5 1H11V4.5M11 1 7 5M4.5 11H1V7.5M1 11 5 7" }),
    ),
  );
  return element;
}
