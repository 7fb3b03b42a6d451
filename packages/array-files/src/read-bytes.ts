import { open } from "node:fs/promises";
import { readError } from "./error.ts";

const CHUNK_BYTES = 2 ** 30; // one read call moves less than 2 GiB

/** All bytes of a regular file, of any size that memory holds. Throws ArrayFileError. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const bytes = new Uint8Array(size);
      let filled = 0;
      while (filled < size) {
        const wanted = Math.min(CHUNK_BYTES, size - filled);
        const { bytesRead } = await file.read(bytes, filled, wanted, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readError(path, error);
  }
}
