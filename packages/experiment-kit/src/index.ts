/**
 * Runs experiments: run folders, exact resume, metric streams, callbacks, reports, sweeps on cores and
 * on Slurm. It knows nothing of what is trained; an `Experiment` tells it.
 *
 * ```ts
 * import { runExperiment, readMetrics } from "@implicit-rank/experiment-kit";
 * ```
 *
 * @module
 */

export { batchValuesStatistics } from "./callbacks/batch-values-statistics.ts";
export type {
  BatchStatistic,
  BatchValuesStatisticsOptions,
} from "./callbacks/batch-values-statistics.ts";
export { earlyStopping } from "./callbacks/early-stopping.ts";
export type { EarlyStoppingOptions } from "./callbacks/early-stopping.ts";
export {
  cosineSchedule,
  exponentialSchedule,
  learningRateScheduler,
  reduceLearningRateOnPlateau,
  stepSchedule,
} from "./callbacks/learning-rate.ts";
export type { LearningRateSchedule, ReduceOnPlateauOptions } from "./callbacks/learning-rate.ts";
export { stopOnMetricValue, stopOnZeroTrainLoss } from "./callbacks/stop-on-streak.ts";
export { stopOnTimeout } from "./callbacks/stop-on-timeout.ts";
export { terminateOnNaN } from "./callbacks/terminate-on-nan.ts";
export { isUserError, MisuseError, RunError } from "./errors.ts";
export type {
  Experiment,
  LearningRate,
  MetricInfo,
  PrepareContext,
  Provenance,
  RunFiles,
  ScoreInfo,
  StopRule,
  TorchConversion,
  TorchImport,
  Trainable,
  ValidationProgress,
} from "./experiment.ts";
export type { Callback, Fit, HookResult } from "./fit/callback.ts";
export { groupPlotFlags } from "./figures/groups/group-plot-flags.ts";
export { runFit } from "./fit/fit-loop.ts";
export type { FitOptions } from "./fit/fit-loop.ts";
export { createMetricValues, findMetric } from "./fit/metric-values.ts";
export type {
  MetricReference,
  MetricSource,
  MetricValues,
  TrackedMetrics,
} from "./fit/metric-values.ts";
export { StopRequest } from "./fit/stop-request.ts";
export type { StopKind } from "./fit/stop-request.ts";
export { listFlags } from "./flags/list-flags.ts";
export type { FlagInfo } from "./flags/list-flags.ts";
export { nearest } from "./flags/nearest.ts";
export { parseFlags, unknownFlag } from "./flags/parse-flags.ts";
export type { RawFlags } from "./flags/parse-flags.ts";
export { experimentFlags, resolveConfig } from "./flags/resolve-config.ts";
export type { ResolvedConfig } from "./flags/resolve-config.ts";
export { sharedFlags } from "./flags/shared-flags.ts";
export type { SharedFlags } from "./flags/shared-flags.ts";
export type { Json } from "./json.ts";
export type { OutputMode, OutputStream } from "./output/console.ts";
export { formatDuration, formatRate, formatValue } from "./output/format.ts";
export { writeReport } from "./report/write-report.ts";
export type { ReportOptions, WrittenReport } from "./report/write-report.ts";
export { readCheckpoint } from "./run-folder/checkpoint-file.ts";
export type {
  Checkpoint,
  CheckpointState,
  RetainedCheckpoint,
} from "./run-folder/checkpoint-file.ts";
export { newestGoodCheckpoint } from "./run-folder/checkpoint-store.ts";
export type { FoundCheckpoint } from "./run-folder/checkpoint-store.ts";
export { readRunConfig } from "./run-folder/config-file.ts";
export type { RunConfig, RunRecord } from "./run-folder/config-file.ts";
export { runPaths } from "./run-folder/files.ts";
export { listRuns, showRun } from "./run-folder/list-runs.ts";
export type { RunInfo, RunStatus } from "./run-folder/list-runs.ts";
export { lockRun } from "./run-folder/lock.ts";
export type { RunLock } from "./run-folder/lock.ts";
export { createMetricsReader, readMetrics } from "./run-folder/metrics-reader.ts";
export type { MetricHistory, MetricSeries, MetricsReader } from "./run-folder/metrics-reader.ts";
export { readSummary } from "./run-folder/summary-file.ts";
export type { Outcome, RunSummary, TrackedValueSummary } from "./run-folder/summary-file.ts";
export { resumeRun } from "./run/resume-run.ts";
export type { ResumeOptions } from "./run/resume-run.ts";
export { runExperiment } from "./run/run-experiment.ts";
export type { RunOptions, RunResult, TrainedSummary } from "./run/run-options.ts";
export { batchScript } from "./slurm/batch-script.ts";
export type { BatchScript } from "./slurm/batch-script.ts";
export { runArrayTask } from "./slurm/run-array-task.ts";
export type { SlurmOptions } from "./slurm/slurm-options.ts";
export { readSlurmStatus } from "./slurm/slurm-status.ts";
export type { SlurmStatus, SlurmTaskStatus } from "./slurm/slurm-status.ts";
export { submitSweep } from "./slurm/submit-sweep.ts";
export type { SubmitOptions, SubmittedJob } from "./slurm/submit-sweep.ts";
export { waitForSweep } from "./slurm/wait-for-sweep.ts";
export { compareRuns } from "./sweep/compare-runs.ts";
export type {
  CompareOptions,
  ComparedGroup,
  ComparedRun,
  Comparison,
} from "./sweep/compare-runs.ts";
export { expandGrid } from "./sweep/expand-grid.ts";
export type { GridOptions } from "./sweep/expand-grid.ts";
export { expandPlan, fillTemplate } from "./sweep/expand-plan.ts";
export type { ExpandPlanOptions } from "./sweep/expand-plan.ts";
export type { TypedValue } from "./sweep/flag-alternatives.ts";
export { parsePlan, readPlan } from "./sweep/plan-file.ts";
export type { Plan } from "./sweep/plan-file.ts";
export { checkResultsPath, groupRows, runRows, toCsv, writeResults } from "./sweep/results-file.ts";
export { exitCodeOf, runSweep } from "./sweep/run-sweep.ts";
export type { SweepOptions, SweepResult } from "./sweep/run-sweep.ts";
export { runTask } from "./sweep/run-task.ts";
export type { RunTaskOptions, TaskProgress, TaskReport } from "./sweep/run-task.ts";
export { serveTasks } from "./sweep/serve-tasks.ts";
export { statisticsOf } from "./sweep/statistics.ts";
export type { Statistics } from "./sweep/statistics.ts";
export { readSweep } from "./sweep/sweep-file.ts";
export type { Sweep } from "./sweep/sweep-file.ts";
export type { SweepTask } from "./sweep/sweep-task.ts";
export { readTaskStatuses } from "./sweep/task-state.ts";
export type { TaskState, TaskStatus } from "./sweep/task-state.ts";
export type { ComparedValue } from "./torch/compare-stored.ts";
export { importTorchRun } from "./torch/import-run.ts";
export type { ImportedRun, TorchImportOptions } from "./torch/import-run.ts";
export { parseTorchCheckpoint, readTorchCheckpoint } from "./torch/torch-checkpoint.ts";
export type { TorchCheckpoint, TorchTrackedValue } from "./torch/torch-checkpoint.ts";
export { watchRuns } from "./watch/watch-runs.ts";
export type { Watch, WatchOptions } from "./watch/watch-runs.ts";
