import { tensorTargetNorm, type TensorDatasetFlags } from "./tensor-flags.ts";
import { matrixTargetNorm, type MatrixDatasetFlags } from "./matrix-flags.ts";

/** `yyyy_mm_dd-HH_MM_SS` in UTC. */
export function utcTimestamp(time: Date): string {
  const [date, clock] = time.toISOString().slice(0, 19).split("T");
  return `${date!.replaceAll("-", "_")}-${clock!.replaceAll(":", "_")}`;
}

/** File name without extension, for example `completion_rank_5_64x64_fro_64_2026_01_31-12_00_00`. */
export function matrixDatasetName(flags: MatrixDatasetFlags, time: Date): string {
  const stamp = utcTimestamp(time);
  if (flags.custom_file_name !== "") return `${flags.custom_file_name}_${stamp}`;
  const size = `${flags.num_rows}x${flags.num_cols}`;
  const norm = Math.trunc(matrixTargetNorm(flags));
  const symmetric = flags.use_symmetric_target ? "_sym" : "";
  return `${flags.task_type}_rank_${flags.rank}_${size}_fro_${norm}${symmetric}_${stamp}`;
}

/** File name without extension, for example `tc_cpr_5_ord_3_d_16_fro_64_2026_01_31-12_00_00`. */
export function tensorDatasetName(flags: TensorDatasetFlags, time: Date): string {
  const stamp = utcTimestamp(time);
  if (flags.custom_file_name !== "") return `${flags.custom_file_name}_${stamp}`;
  const size = `ord_${flags.order}_d_${flags.mode_dim_size}`;
  return `t${flags.task_type[0]}_${targetName(flags)}_${size}_${scaleName(flags)}_${stamp}`;
}

function targetName(flags: TensorDatasetFlags): string {
  if (flags.target_tensor_factorization_type === "cp") return `cpr_${flags.target_tensor_cp_rank}`;
  const widths = flags.target_tensor_ht_rank.join("_");
  const pool = `${flags.target_tensor_ht_pool_size}${flags.target_tensor_ht_pool_pattern[0]}`;
  return `htr_${widths}_pl_${pool}`;
}

function scaleName(flags: TensorDatasetFlags): string {
  const name =
    flags.target_fro_norm > 0 || flags.target_calibrate_fro_norm
      ? `fro_${numberName(tensorTargetNorm(flags))}`
      : `init_m_${numberName(flags.target_init_mean)}_std_${numberName(flags.target_init_std)}`;
  return name.replaceAll(".", "_");
}

/** Whole numbers as they are, others with two decimals. */
function numberName(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
