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
    load: async () => (await import("./dataMatrix.ts")).dataMatrix,
  },
  {
    path: ["data", "tensor"],
    summary: "make a tensor sensing or completion data set",
    load: async () => (await import("./dataTensor.ts")).dataTensor,
  },
  {
    path: ["data", "convert"],
    summary: "convert between .safetensors and .npz, and from .pt",
    load: async () => (await import("./dataConvert.ts")).dataConvert,
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
    path: ["runs", "list"],
    summary: "list the runs below a folder",
    load: async () => (await import("./runsList.ts")).runsList,
  },
  {
    path: ["runs", "show"],
    summary: "show settings, state and last metrics of a run",
    load: async () => (await import("./runsShow.ts")).runsShow,
  },
  {
    path: ["runs", "resume"],
    summary: "go on with an interrupted or killed run",
    load: async () => (await import("./runsResume.ts")).runsResume,
  },
];
