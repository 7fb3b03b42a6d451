/**
 * Reads a run folder of implicit-rank in Observable: in a notebook, in Observable Framework, or in a page of your own with
 * Observable's runtime. How to use it in each: README.md beside this file.
 */

/**
 * @param files `{ config, metrics }`: attachments of config.json and metrics.jsonl
 * @returns a promise of `{ config, lines }`; a line holds the metrics that were measured in its epoch
 */
export async function readRun({ config, metrics }) {
  const text = await metrics.text();
  // A run that still goes on may be in the middle of its last line: only lines that have ended count.
  const ended = text.split("\n").slice(0, -1);
  return { config: await config.json(), lines: ended.map((line) => JSON.parse(line)) };
}

/** The charts of a run: metrics with one tag share a chart, such as all singular values. */
export function tagsOf({ config }) {
  return [...new Set(allMetrics(config).map(tagOf))];
}

/** The curves of a tag as rows `{ metric, epoch, value }`, which Plot, Arquero or DuckDB take. */
export function rowsOf({ config, lines }, tag) {
  const names = allMetrics(config).filter((metric) => tagOf(metric) === tag);
  return names.flatMap(({ name }) =>
    lines
      // Null is NaN or infinite; absent is not measured in this epoch.
      .filter((line) => typeof line[name] === "number")
      .map((line) => ({ metric: name, epoch: line.epoch, value: line[name] })),
  );
}

/** A chart of a tag, made by `Plot`; on a logarithmic axis, values of zero or less are left out. */
export function drawCurves(Plot, run, tag, { width = 640, log = false } = {}) {
  const rows = rowsOf(run, tag).filter(({ value }) => !log || value > 0);
  return Plot.plot({
    width,
    marginLeft: 60,
    x: { label: "epoch" },
    y: { label: tag, grid: true, type: log ? "log" : "linear" },
    marks: [Plot.lineY(rows, { x: "epoch", y: "value", stroke: "metric", tip: true })],
    ariaLabel: tag,
  });
}

/** The cells of a notebook, for Observable's runtime with the builtins FileAttachment and Plot. */
export function define(runtime, observer) {
  const main = runtime.module();
  const cell = (name, inputs, definition) =>
    main.variable(observer(name)).define(name, inputs, definition);
  cell("run", ["FileAttachment"], (FileAttachment) =>
    readRun({
      config: FileAttachment("config.json"),
      metrics: FileAttachment("metrics.jsonl"),
    }),
  );
  cell("tags", ["run"], tagsOf);
  cell("tag", ["tags"], (tags) => tags.at(-1));
  cell("chart", ["Plot", "run", "tag"], drawCurves);
  return main;
}

const allMetrics = ({ run: { metrics } }) => [...metrics.train, ...metrics.validation];
const tagOf = ({ name, tag }) => tag ?? name;
