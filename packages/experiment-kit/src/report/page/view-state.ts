export type ScaleKind = "linear" | "log";

/** What the reader has chosen for all charts. */
export interface ViewState {
  filter: string;
  xScale: ScaleKind;
  /** "auto": losses and errors that span decades on a log axis. */
  yScale: ScaleKind | "auto";
  colorBy: "run" | "metric";
  /** Zooming one chart zooms the epochs of all. */
  isLinked: boolean;
}

export interface View {
  readonly state: Readonly<ViewState>;
  set(change: Partial<ViewState>): void;
  listen(listener: (change: Partial<ViewState>) => void): void;
}

export function createView(): View {
  const state: ViewState = {
    filter: "",
    xScale: "linear",
    yScale: "auto",
    colorBy: "run",
    isLinked: false,
  };
  const listeners: ((change: Partial<ViewState>) => void)[] = [];
  return {
    state,
    set(change) {
      Object.assign(state, change);
      listeners.forEach((listener) => listener(change));
    },
    listen: (listener) => void listeners.push(listener),
  };
}

/** Whether all words of the filter occur in one of the texts. */
export function matchesFilter(filter: string, texts: readonly string[]): boolean {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return true;
  return texts.some((text) => words.every((word) => text.toLowerCase().includes(word)));
}
