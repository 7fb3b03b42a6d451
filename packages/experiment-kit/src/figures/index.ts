/**
 * Figures of runs as SVG and PNG: the curves of metrics over the epochs, and means of groups of runs
 * over a setting.
 *
 * ```ts
 * import { plotDynamics } from "@implicit-rank/experiment-kit/figures";
 * ```
 *
 * @module
 */

export { drawDynamics } from "./draw-dynamics.ts";
export type { DrawnFigure } from "./draw-dynamics.ts";
export type { GroupPlotFlags } from "./groups/group-plot-flags.ts";
export type { GroupPoint } from "./groups/group-points.ts";
export { plotGroups } from "./groups/plot-groups.ts";
export type { PlotGroupsOptions, PlottedGroup, PlottedGroups } from "./groups/plot-groups.ts";
export type { LeftOut } from "./groups/run-values.ts";
export { colorMapNames } from "./line-colors.ts";
export { meanCurve } from "./mean-curve.ts";
export type { MeanCurve } from "./mean-curve.ts";
export { createMetricSources } from "./metric-source.ts";
export type { MetricSources, RunMetrics } from "./metric-source.ts";
export { readPanelCurves } from "./panel-curves.ts";
export type { PanelCurve, PanelCurves, PanelPlace } from "./panel-curves.ts";
export { parsePlotConfig } from "./plot-config.ts";
export type { PanelConfig, PlotConfig, SourceConfig } from "./plot-config.ts";
export { plotDynamics } from "./plot-dynamics.ts";
export type { PlotDynamicsOptions, PlottedFigure, PlottedPanel } from "./plot-dynamics.ts";
export { readPlotConfig, shippedPlotConfigs } from "./read-plot-config.ts";
export type { NamedPlotConfig } from "./read-plot-config.ts";
