import type { BackendName } from "./flags.ts";

/** A tfjs backend that is ready, and the one that tfjs uses. */
export interface StartedBackend {
  /** "auto" is settled by now. */
  readonly name: string;
  readonly threads: number;
}

/** The backend that a run wants. */
export interface BackendRequest {
  readonly backend: BackendName;
  /** 0: as many as the one who starts it thinks fit. */
  readonly threads: number;
  /** A line for the run's log. */
  log(line: string): void;
}

/** Starts the backend of `--backend`; the command line passes it, since it knows what is installed. */
export type StartBackend = (request: BackendRequest) => Promise<StartedBackend>;
