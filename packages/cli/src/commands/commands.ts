import type { CommandEntry } from "../command.ts";

/** All commands, in the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    path: ["demo"],
    summary: "small data, all three factorizations, in about a minute",
    load: async () => (await import("./demo.ts")).demo,
  },
  {
    path: ["data", "matrix"],
    summary: "make a matrix sensing or completion data set",
    load: async () => (await import("./data-matrix.ts")).dataMatrix,
  },
  {
    path: ["data", "tensor"],
    summary: "make a tensor sensing or completion data set",
    load: async () => (await import("./data-tensor.ts")).dataTensor,
  },
  {
    path: ["data", "convert"],
    summary: "convert between .safetensors and .npz, and from .pt",
    load: async () => (await import("./data-convert.ts")).dataConvert,
  },
  {
    path: ["data", "is-same"],
    summary: "draw pairs of images of the same class or not",
    load: async () => (await import("./data-is-same.ts")).dataIsSame,
  },
  {
    path: ["data", "pathfinder-raw"],
    summary: "make pathfinder images",
    load: async () => (await import("./data-pathfinder-raw.ts")).dataPathfinderRaw,
  },
  {
    path: ["data", "pathfinder"],
    summary: "make train and test sets of pathfinder images",
    load: async () => (await import("./data-pathfinder.ts")).dataPathfinder,
  },
  {
    path: ["train", "mf"],
    summary: "train a deep matrix factorization",
    load: async () => (await import("./train.ts")).trainMatrix(),
  },
  {
    path: ["train", "cp"],
    summary: "train a CP tensor factorization",
    load: async () => (await import("./train.ts")).trainCp(),
  },
  {
    path: ["train", "ht"],
    summary: "train a hierarchical tensor factorization",
    load: async () => (await import("./train.ts")).trainHierarchical(),
  },
  {
    path: ["train", "is-same"],
    summary: "train a network on pairs of images at a distance",
    load: async () => (await import("./train.ts")).trainIsSame(),
  },
  {
    path: ["train", "pathfinder"],
    summary: "train a network to follow paths",
    load: async () => (await import("./train.ts")).trainPathfinder(),
  },
  {
    path: ["plan", "run"],
    summary: "run an experiment plan",
    load: async () => (await import("./plan-run.ts")).planRun,
  },
  {
    path: ["sweep"],
    summary: "run a grid of settings and seeds, here or on Slurm",
    load: async () => (await import("./sweep.ts")).sweep(),
  },
  {
    path: ["sweep", "status"],
    summary: "show how far a sweep or plan is",
    load: async () => (await import("./sweep-status.ts")).sweepStatus,
  },
  {
    path: ["sweep", "task"],
    summary: "run one array task (batch scripts do)",
    load: async () => (await import("./sweep-task.ts")).sweepTask,
  },
  {
    path: ["plot", "dynamics"],
    summary: "draw the figure of learning dynamics",
    load: async () => (await import("./plot-dynamics.ts")).plotDynamics,
  },
  {
    path: ["plot", "locality"],
    summary: "draw results of groups of runs against a setting",
    load: async () => (await import("./plot-locality.ts")).plotLocality,
  },
  {
    path: ["runs", "list"],
    summary: "list the runs below a folder",
    load: async () => (await import("./runs-list.ts")).runsList,
  },
  {
    path: ["runs", "show"],
    summary: "show settings, state and last metrics of a run",
    load: async () => (await import("./runs-show.ts")).runsShow,
  },
  {
    path: ["runs", "compare"],
    summary: "compare runs: settings, mean and deviation over seeds",
    load: async () => (await import("./runs-compare.ts")).runsCompare,
  },
  {
    path: ["runs", "resume"],
    summary: "go on with an interrupted or killed run",
    load: async () => (await import("./runs-resume.ts")).runsResume,
  },
  {
    path: ["runs", "import"],
    summary: "make a run of a checkpoint of the PyTorch scripts",
    load: async () => (await import("./runs-import.ts")).runsImport,
  },
  {
    path: ["report"],
    summary: "write an HTML file that shows runs",
    load: async () => (await import("./report.ts")).report,
  },
  {
    path: ["watch"],
    summary: "serve a live page of runs",
    load: async () => (await import("./watch.ts")).watch,
  },
];
