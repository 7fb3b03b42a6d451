import { cannotStart, loadPackage } from "./load-package.ts";
import { onOneThread } from "./one-thread.ts";
import { selectBackend } from "./select-backend.ts";
import type { BackendRequest, StartedBackend } from "./started-backend.ts";

const packages = ["webgpu", "@tensorflow/tfjs-backend-webgpu"];
const remedy =
  "install a graphics driver (on Linux: Vulkan, libvulkan1 and a driver for the GPU), or use --backend simd";

/** What of the npm package "webgpu" (Dawn, the WebGPU of Chromium) is used. */
interface WebGpuPackage {
  create(options: readonly string[]): { requestAdapter(): Promise<unknown> };
  readonly globals: Readonly<Record<string, unknown>>;
}

/** GPUs of all makers, through Dawn. */
export async function startWebGpu(request: BackendRequest): Promise<StartedBackend> {
  const gpu = await provideNavigatorGpu();
  if ((await gpu.requestAdapter()) === null)
    throw cannotStart("webgpu", "no graphics adapter is found", remedy);
  await loadPackage("@tensorflow/tfjs-backend-webgpu", "webgpu", packages);
  await selectBackend("webgpu", "webgpu", remedy);
  return onOneThread("webgpu", request);
}

/** `navigator.gpu` and the WebGPU classes, as a browser has them; tfjs looks for them when it is loaded. */
async function provideNavigatorGpu(): Promise<ReturnType<WebGpuPackage["create"]>> {
  const { create, globals } = await loadPackage<WebGpuPackage>("webgpu", "webgpu", packages);
  const present = (globalThis.navigator as { gpu?: ReturnType<typeof create> } | undefined)?.gpu;
  if (present !== undefined) return present;
  Object.assign(globalThis, globals);
  const gpu = create([]);
  // Node.js 20 has no navigator.
  if (globalThis.navigator === undefined)
    Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true });
  return gpu;
}
