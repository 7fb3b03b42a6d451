import { gzipSync } from "node:zlib";
import { bundle } from "./bundle.ts";
import type { PackedPackage } from "./published-packages.ts";

/** Bytes, and the number of files. */
export interface PackageSize {
  readonly packed: number;
  readonly unpacked: number;
  readonly files: number;
}

export interface BundleSize {
  readonly minified: number;
  readonly gzipped: number;
}

/** The most that each package may take. What comes near is to be looked at: a source map, something twice. */
export const packageLimits: Readonly<Record<string, PackageSize>> = {
  "@implicit-rank/array-files": { packed: 42_000, unpacked: 150_000, files: 65 },
  "@implicit-rank/cli": { packed: 68_000, unpacked: 230_000, files: 200 },
  "@implicit-rank/datasets": { packed: 80_000, unpacked: 280_000, files: 150 },
  "@implicit-rank/experiment-kit": { packed: 290_000, unpacked: 950_000, files: 420 },
  "@implicit-rank/locality-bias": { packed: 57_000, unpacked: 200_000, files: 110 },
  "@implicit-rank/random": { packed: 9_000, unpacked: 25_000, files: 20 },
  "@implicit-rank/simd-backend": { packed: 140_000, unpacked: 470_000, files: 100 },
  "@implicit-rank/tensor-factorization": { packed: 125_000, unpacked: 460_000, files: 220 },
};

/** The most that everything that a module exports may take in a bundle. */
export const bundleLimits: Readonly<Record<string, number>> = {
  "@implicit-rank/random": 6_000,
  "@implicit-rank/simd-backend": 280_000,
  "@implicit-rank/simd-backend/tfjs": 310_000,
  "@implicit-rank/tensor-factorization": 380_000,
  "@implicit-rank/tensor-factorization/tfjs": 11_000,
  "@implicit-rank/locality-bias": 36_000,
};

export function sizeOf({ packed, unpacked, files }: PackedPackage): PackageSize {
  return { packed, unpacked, files: files.length };
}

/** Of all that a module exports, in a bundle that leaves out tfjs, which is a peer. */
export async function bundleSizeOf(module: string): Promise<BundleSize> {
  const { code } = await bundle(`export * from "${module}";`, [/^@tensorflow\//]);
  return { minified: Buffer.byteLength(code), gzipped: gzipSync(code).length };
}
