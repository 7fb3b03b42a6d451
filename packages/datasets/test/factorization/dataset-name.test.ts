import { expect, it } from "vitest";
import {
  matrixDatasetFlags,
  matrixDatasetName,
  tensorDatasetFlags,
  tensorDatasetName,
  type MatrixDatasetOptions,
  type TensorDatasetOptions,
} from "../../src/index.ts";

const time = new Date("2026-03-04T05:06:07.999Z");
const stamp = "2026_03_04-05_06_07";

it.each<[MatrixDatasetOptions, string]>([
  [{}, "completion_rank_5_64x64_fro_64"],
  [
    { task_type: "sensing", num_rows: 3, num_cols: 5, target_fro_norm: 7.9 },
    "sensing_rank_5_3x5_fro_7",
  ],
  [{ target_fro_norm: 0, num_rows: 8, num_cols: 3 }, "completion_rank_5_8x3_fro_4"],
  [{ use_symmetric_target: true, rank: 2 }, "completion_rank_2_64x64_fro_64_sym"],
  [{ custom_file_name: "mine" }, "mine"],
])("matrix %j", (flags, name) => {
  expect(matrixDatasetName(matrixDatasetFlags.parse(flags), time)).toBe(`${name}_${stamp}`);
});

it.each<[TensorDatasetOptions, string]>([
  [{}, "tc_cpr_5_ord_3_d_16_fro_64"],
  [
    { task_type: "sensing", target_tensor_cp_rank: 3, order: 4, mode_dim_size: 8 },
    "ts_cpr_3_ord_4_d_8_fro_64",
  ],
  [
    {
      target_tensor_factorization_type: "ht",
      target_tensor_ht_rank: [4, 6],
      target_tensor_ht_pool_pattern: "half",
    },
    "tc_htr_4_6_pl_2h_ord_3_d_16_fro_64",
  ],
  [{ target_fro_norm: 2.5 }, "tc_cpr_5_ord_3_d_16_fro_2_50"],
  [{ target_fro_norm: 0 }, "tc_cpr_5_ord_3_d_16_init_m_0_std_1"],
  [
    { target_fro_norm: -1, target_init_mean: 0.125, target_init_std: 2 },
    "tc_cpr_5_ord_3_d_16_init_m_0_13_std_2",
  ],
  [{ target_calibrate_fro_norm: true, order: 2, mode_dim_size: 9 }, "tc_cpr_5_ord_2_d_9_fro_9"],
  [{ target_calibrate_fro_norm: true, order: 3, mode_dim_size: 2 }, "tc_cpr_5_ord_3_d_2_fro_2_83"],
  [{ custom_file_name: "mine" }, "mine"],
])("tensor %j", (flags, name) => {
  expect(tensorDatasetName(tensorDatasetFlags.parse(flags), time)).toBe(`${name}_${stamp}`);
});
