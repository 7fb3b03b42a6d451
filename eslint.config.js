import nx from "@nx/eslint-plugin";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

const mayImport = (tag, allowed) => ({ sourceTag: tag, onlyDependOnLibsWithTags: allowed });

export default tseslint.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "**/test-results/**", "**/assembly/**", "**/*.js", "**/*.mjs"] },
  ...tseslint.configs.strict,
  prettier,
  {
    files: ["**/*.ts"],
    plugins: { "@nx": nx },
    rules: {
      // Typed-array code indexes in hot loops, where a bounds check by assertion is noise.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Named exports only." },
      ],
      "max-lines-per-function": ["warn", { max: 120, skipBlankLines: true, skipComments: true }],
      "@nx/enforce-module-boundaries": [
        "error",
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints: [
            mayImport("random", []),
            mayImport("array-files", []),
            mayImport("simd-backend", []),
            mayImport("tensor-factorization", ["simd-backend", "random", "experiment-kit"]),
            mayImport("locality-bias", ["random", "experiment-kit"]),
            mayImport("datasets", ["random", "array-files"]),
            mayImport("experiment-kit", ["random", "array-files"]),
            mayImport("cli", ["*"]),
          ],
        },
      ],
    },
  },
  {
    // Vitest and ESLint read their configuration from a default export.
    files: ["**/vitest.config.ts", "**/vitest.shared.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
);
