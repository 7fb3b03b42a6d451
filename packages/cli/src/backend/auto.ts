import type { BackendRequest, StartedBackend } from "./started-backend.ts";

/** The simd backend, or plain JavaScript where WebAssembly has no SIMD. */
export async function startAuto(request: BackendRequest): Promise<StartedBackend> {
  const { hasSimd, startSimd } = await import("./simd.ts");
  if (hasSimd()) return startSimd(request);
  request.log(
    "This machine's WebAssembly has no SIMD: training with the backend cpu instead, which is far slower.",
  );
  const { startCpu } = await import("./cpu.ts");
  return startCpu({ ...request, threads: 1 });
}
