import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";

/** tfjs on its plain JavaScript backend, without its advice to install another. */
export async function useCpuBackend(): Promise<void> {
  tf.enableProdMode();
  await tf.setBackend("cpu");
}
