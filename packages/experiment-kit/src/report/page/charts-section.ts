import { button, html, setText } from "./elements.ts";
import type { Model } from "./model.ts";
import { createPanel } from "./panel.ts";
import type { Panel, PanelContext } from "./panel.ts";
import { matchesFilter } from "./view-state.ts";
import type { View, ViewState } from "./view-state.ts";

const KEYS =
  "In a chart: arrow keys read values, Shift with them is faster, Home and End go to the ends, plus and minus zoom, 0 or Escape resets, L toggles the log axis.";
const POINTER =
  "Drag over a chart to zoom, double-click to reset. Ctrl with the wheel zooms too; without Ctrl once a chart has been clicked. Shift-click a name to see it alone.";

const FINGERS = "On a touch screen: tap or slide sideways to read values, pinch to zoom.";

/** All charts, with the tools for all of them. */
export function createChartsSection(model: Model, view: View): HTMLElement {
  const live = html("div", { class: "sr-only", "aria-live": "polite" });
  const grid = html("div", { class: "panels" });
  const none = html("p", { class: "none", role: "status" });
  const panels = new Map<string, Panel>();
  let created = 0;

  const context: PanelContext = {
    model,
    view,
    announce: (text) => setText(live, text),
    onZoomEpochs(from, range) {
      if (!view.state.isLinked) return;
      for (const panel of panels.values()) if (panel !== from) panel.zoomEpochs(range);
    },
  };
  const visibility = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) panelOf(target)?.setInView(isIntersecting);
    },
    { rootMargin: "200px" },
  );
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) panelOf(target.closest(".panel")!)?.invalidate();
  });
  const panelOf = (element: Element): Panel | undefined =>
    panels.get((element as HTMLElement).dataset["tag"] ?? "");

  const applyFilter = (): void => {
    let shown = 0;
    for (const { element, tag, names } of panels.values()) {
      element.hidden = !matchesFilter(view.state.filter, [tag, ...names]);
      if (!element.hidden) shown++;
    }
    const isNone = shown === 0 && panels.size > 0;
    setText(
      none,
      isNone
        ? `No chart has “${view.state.filter}” in its names.`
        : panels.size === 0
          ? "No metrics yet."
          : "",
    );
    none.hidden = shown > 0;
  };
  const rebuild = (): void => {
    const tags = model.tags();
    const wanted = new Set(tags.map(({ tag }) => tag));
    for (const [tag, panel] of panels) {
      if (wanted.has(tag)) continue;
      panel.element.remove();
      panels.delete(tag);
    }
    tags.forEach((tag) => {
      const known = panels.get(tag.tag);
      if (known !== undefined) {
        known.setNames(tag.names);
        known.invalidate();
        return;
      }
      const panel = createPanel(context, tag, created++);
      panels.set(tag.tag, panel);
      grid.append(panel.element);
      visibility.observe(panel.element);
      sizes.observe(panel.element.querySelector(".plot")!);
    });
    applyFilter();
    drawWhenIdle(() => panels.values());
  };

  model.listen((change) => {
    if (change.kind === "structure") rebuild();
    else if (change.kind === "visibility") for (const panel of panels.values()) panel.invalidate();
    else for (const tag of change.tags) panels.get(tag)?.invalidate();
  });
  view.listen((change) => {
    if (change.filter !== undefined) applyFilter();
  });
  window.addEventListener("beforeprint", () => {
    for (const panel of panels.values()) panel.drawIfNeeded();
  });
  rebuild();
  return html(
    "section",
    { id: "charts", "aria-labelledby": "charts-title" },
    html("h2", { id: "charts-title" }, "Metrics"),
    toolbar(model, view, () => panels.values()),
    html(
      "details",
      { class: "help" },
      html("summary", {}, "How to use the charts"),
      html("p", { class: "hint" }, POINTER),
      html("p", { class: "hint", id: "chart-keys" }, KEYS),
      html("p", { class: "hint" }, FINGERS),
    ),
    none,
    grid,
    live,
  );
}

/** Draws also what is not in view, so that printing finds it drawn. */
function drawWhenIdle(panels: () => Iterable<Panel>): void {
  const later = window.requestIdleCallback ?? ((task: () => void) => setTimeout(task, 50));
  const drawAll = [...panels()];
  const next = (): void => {
    drawAll.shift()?.drawIfNeeded();
    if (drawAll.length > 0) later(next);
  };
  later(next);
}

function toolbar(model: Model, view: View, panels: () => Iterable<Panel>): HTMLElement {
  const filter = html("input", {
    type: "search",
    id: "filter",
    placeholder: "Filter metrics",
    "aria-label": "Filter metrics",
    autocomplete: "off",
    spellcheck: "false",
  });
  filter.addEventListener("input", () => view.set({ filter: filter.value }));
  const colors = choice(
    "Colors",
    "color-by",
    ["run", "metric"],
    ["by run", "by metric"],
    (colorBy) => view.set({ colorBy: colorBy as ViewState["colorBy"] }),
  );
  const showColors = (): void => {
    colors.hidden = model.runs.length < 2;
  };
  model.listen(showColors);
  showColors();
  const linked = html("input", { type: "checkbox", id: "linked" });
  linked.addEventListener("change", () => view.set({ isLinked: linked.checked }));
  return html(
    "div",
    { class: "toolbar", role: "group", "aria-label": "All charts" },
    filter,
    choice("Values", "y-scale", ["auto", "linear", "log"], ["auto", "linear", "log"], (yScale) =>
      view.set({ yScale: yScale as ViewState["yScale"] }),
    ),
    choice("Epochs", "x-scale", ["linear", "log"], ["linear", "log"], (xScale) =>
      view.set({ xScale: xScale as ViewState["xScale"] }),
    ),
    colors,
    html("label", { class: "check" }, linked, "zoom together"),
    button(
      { class: "tool" },
      () => {
        for (const panel of panels()) panel.resetZoom();
      },
      "Reset all zooms",
    ),
  );
}

function choice(
  label: string,
  id: string,
  values: readonly string[],
  texts: readonly string[],
  onChoose: (value: string) => void,
): HTMLElement {
  const options = values.map((value, i) => html("option", { value }, texts[i]!));
  const select = html("select", { id }, ...options);
  select.addEventListener("change", () => onChoose(select.value));
  return html("div", { class: "choice" }, html("label", { for: id }, label), select);
}
