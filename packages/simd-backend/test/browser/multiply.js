import { createKernelRuntime, supportedFeatures } from "/index.js";

/** Runs in the page: a product of small integers, whose result is exact. */
export async function multiply(variant) {
  const runtime = await createKernelRuntime({ bytes: 2 ** 20, threads: 2, variant });
  const [m, n, k] = [37, 53, 41];
  const [a, b, c] = [m * k, k * n, m * n].map((length) => runtime.allocate(4 * length));
  runtime.floats(a, m * k).forEach((_, i, all) => (all[i] = (i % 7) - 3));
  runtime.floats(b, k * n).forEach((_, i, all) => (all[i] = (i % 5) - 2));
  const builder = runtime.program();
  builder.gemm({ m, n, k, a, lda: k, b, ldb: n, c, ldc: n });
  builder.compile().run();
  return {
    features: supportedFeatures(),
    variant: runtime.variant,
    threads: runtime.threads,
    notices: [...runtime.notices],
    product: [...runtime.floats(c, m * n)],
  };
}
