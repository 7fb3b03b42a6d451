import nx from "@nx/eslint-plugin";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

const mayImport = (tag, allowed) => ({ sourceTag: tag, onlyDependOnLibsWithTags: allowed });

export default tseslint.config(
  {
    ignores: [
      "**/dist/**",
      "**/node_modules/**",
      "**/test-results/**",
      "**/reports/**",
      ".stryker-tmp/**",
      "**/assembly/**",
      "**/build/**",
      "docs/.vitepress/cache/**",
      "**/*.js",
    ],
  },
  ...tseslint.configs.strict,
  prettier,
  {
    files: ["**/*.ts", "**/*.mjs"],
    rules: {
      // Typed-array code indexes in hot loops, where a bounds check by assertion is noise.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Named exports only." },
      ],
      "max-lines-per-function": ["warn", { max: 120, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // The arrows of docs/contracts.md: one tag a package, given in its package.json.
    files: ["**/*.ts"],
    plugins: { "@nx": nx },
    rules: {
      "@nx/enforce-module-boundaries": [
        "error",
        {
          enforceBuildableLibDependency: false,
          // Tests in a browser start it in one way.
          allow: ["../../packages/experiment-kit/test/report/chromium.ts"],
          depConstraints: [
            mayImport("random", []),
            mayImport("array-files", []),
            mayImport("simd-backend", []),
            mayImport("tensor-factorization", [
              "simd-backend",
              "random",
              "array-files",
              "experiment-kit",
            ]),
            mayImport("locality-bias", ["random", "array-files", "experiment-kit"]),
            mayImport("datasets", ["random", "array-files"]),
            mayImport("experiment-kit", ["random", "array-files"]),
            mayImport("cli", ["*"]),
            mayImport("workspace", ["*"]),
          ],
        },
      ],
    },
  },
  {
    // Its tests run on the backend that has its kernels, which the package itself must not know.
    files: ["packages/locality-bias/test/**/*.ts"],
    rules: {
      "@nx/enforce-module-boundaries": [
        "error",
        {
          depConstraints: [
            mayImport("locality-bias", ["random", "array-files", "experiment-kit", "simd-backend"]),
          ],
        },
      ],
    },
  },
  {
    // Importing the maths must not pull in the harness: only ./experiment knows the kit.
    files: ["packages/*/src/**/*.ts"],
    ignores: ["packages/{cli,experiment-kit}/**", "packages/*/src/experiment/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: "^@implicit-rank/experiment-kit",
              message: "Only src/experiment/ may import experiment-kit.",
            },
          ],
        },
      ],
    },
  },
  {
    // A describe block is a list of tests, not a function to be read at a glance.
    files: ["**/test/**/*.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  {
    // Vitest and VitePress read their configuration from a default export; Vitest's is shared outside the packages.
    files: [
      "**/vitest.config.ts",
      "**/vitest.config.mjs",
      "**/vitest.mutation.config.ts",
      "docs/.vitepress/config.ts",
      "docs/.vitepress/theme/index.ts",
      "docs/**/*.paths.ts",
    ],
    rules: { "no-restricted-syntax": "off", "@nx/enforce-module-boundaries": "off" },
  },
);
