import {
  batchNormalization, batchNormalizationGradient, batchNormalizationSecondGradient, batchNormalizationTraining,
} from "./batch-normalization";
import { binary, unary } from "./elementwise";
import { adamUpdate, sgdMomentumUpdate } from "./optimizers";
import { averagePool, averagePoolGradient, maxPool, maxPoolGather, maxPoolGradient } from "./pooling";
import { reduce } from "./reductions";
import { stridedCopy, stridedTranspose } from "./strided-copies";

/** The operations that layers of neural networks are made of, by their opcodes in src/layer-operations.ts. */
export function executeLayer(record: usize): void {
  switch (load<u32>(record)) {
    case 40: unary(record); break;
    case 41: binary(record); break;
    case 42: reduce(record); break;
    case 43: stridedCopy(record); break;
    case 44: stridedTranspose(record); break;
    case 45: maxPool(record); break;
    case 46: maxPoolGradient(record); break;
    case 47: maxPoolGather(record); break;
    case 48: averagePool(record); break;
    case 49: averagePoolGradient(record); break;
    case 50: batchNormalization(record); break;
    case 51: batchNormalizationTraining(record); break;
    case 52: batchNormalizationGradient(record); break;
    case 53: batchNormalizationSecondGradient(record); break;
    case 54: sgdMomentumUpdate(record); break;
    case 55: adamUpdate(record); break;
    default: unreachable();
  }
}
