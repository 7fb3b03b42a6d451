import type { BackendRequest, StartedBackend } from "./started-backend.ts";

/** A backend whose number of threads cannot be set. */
export function onOneThread(name: string, { threads, log }: BackendRequest): StartedBackend {
  if (threads > 1) log(`--threads ${threads}: the backend ${name} runs on one thread.`);
  return { name, threads: 1 };
}
