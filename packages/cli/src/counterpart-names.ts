/** The scripts of the PyTorch counterpart and the command that does the same here. */
const commandOfScript: ReadonlyMap<string, string> = new Map([
  ["matrix_factorization_data_generator", "data matrix"],
  ["tensor_sensing_data_generator", "data tensor"],
  ["matrix_factorization_experiments_runner", "train mf"],
  ["tensor_factorization_experiments_runner", "train cp"],
  ["hierarchical_tensor_factorization_experiments_runner", "train ht"],
  ["is_same_class_experiments_runner", "train is-same"],
  ["pathfinder_experiments_runner", "train pathfinder"],
  ["dynamical_analysis_results_multi_plotter", "plot dynamics"],
  ["locality_bias_plotter", "plot locality"],
]);

/** `train mf` for `matrix_factorization_experiments_runner`, with or without folder and extension. */
export function commandOfCounterpart(word: string): string | undefined {
  const script = word.replace(/^.*[/\\]/, "").replace(/\.py$/, "");
  return commandOfScript.get(script.replaceAll("-", "_"));
}
