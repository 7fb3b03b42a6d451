import { defineConfig } from "vitest/config";
export default defineConfig({ root: "/work/main/packages/tensor-factorization", resolve: { alias: { "@implicit-rank/simd-backend": "/tmp/fake/simd.ts" } }, test: { include: ["test/**/*.test.ts"] } });
