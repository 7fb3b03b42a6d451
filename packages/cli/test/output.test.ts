import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { describeError, UsageError } from "../src/errors.ts";
import { formatBytes, formatDuration, formatNumber } from "../src/output/quantities.ts";
import { programName } from "../src/output/program-name.ts";
import { shellWord } from "../src/output/shell-word.ts";
import { formatTable } from "../src/output/table.ts";
import { summarizeRise } from "../src/commands/rank-rise.ts";

test.each([
  ["/usr/local/bin/implicit-rank", "implicit-rank"],
  ["/home/me/study/node_modules/.bin/implicit-rank", "npx implicit-rank"],
  ["/home/me/.npm/_npx/0a1b/node_modules/.bin/implicit-rank", "npx @implicit-rank/cli"],
  ["/home/me/study/node_modules/.bin/vitest", "implicit-rank"],
])("started as %s, it is typed as %s", (path, typed) => {
  expect(programName(path)).toBe(typed);
});

test("a table aligns its columns", () => {
  const columns = [
    { title: "run" },
    { title: "epochs", align: "right" as const },
    { title: "state" },
  ];
  const lines = formatTable(columns, [
    ["a", "10", "completed"],
    ["longer", "7", ""],
  ]);
  expect(lines).toEqual(["run     epochs  state", "a           10  completed", "longer       7"]);
});

test.each([
  [0, "0"],
  [4096, "4096"],
  [0.123456, "0.1235"],
  [0.00005, "5.000e-5"],
  [1234567.8, "1235000"],
  [null, "-"],
  [Number.NaN, "NaN"],
])("%s is shown as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test("bytes and durations have fitting units", () => {
  expect([0, 1023, 1024, 5 * 2 ** 20, 3 * 2 ** 40].map(formatBytes)).toEqual([
    "0 bytes",
    "1023 bytes",
    "1.0 KiB",
    "5.0 MiB",
    "3072.0 GiB",
  ]);
  expect([100, 59_000, 61_000, 7_200_000, 4 * 86_400_000].map(formatDuration)).toEqual([
    "0.1 s",
    "59 s",
    "1 min",
    "2 h",
    "4 d",
  ]);
});

test.skipIf(process.platform === "win32")("a shell reads a quoted path back as it was", () => {
  const path = fc.string({
    unit: fc.constantFrom("a", "/", " ", "'", '"', "$", "\\", "*", "é", "\n", ";"),
    minLength: 1,
  });
  const property = fc.property(path, (text) => {
    const script = `printf %s ${shellWord(text)}`;
    expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(text);
  });
  fc.assert(property, { numRuns: 30 });
});

test("errors for users are one line, whatever is in a file name; defects show their stack", () => {
  const text = describeError(new UsageError("a\nb\u001b[31m.safetensors: no such file"));
  expect(text).toBe(String.raw`error: a\nb\u001b[31m.safetensors: no such file`);
  expect(describeError(new TypeError("undefined is not a function"))).toMatch(
    /report.*\n.*TypeError[^]*at /,
  );
});

test("the rise of a component is where it passes half of its end value", () => {
  const epochs = Int32Array.of(9, 19, 29, 39);
  const series = new Map([
    ["v_0", { epochs, values: Float64Array.of(0, 2, 4, 4) }],
    ["v_1", { epochs, values: Float64Array.of(0, 0, 0.5, 3) }],
    ["v_2", { epochs, values: Float64Array.of(0, 0, 0, 1e-4) }],
  ]);
  expect(summarizeRise(series, (index) => `v_${index}`)).toEqual([
    { name: "v_0", end: 4, epoch: 29 },
    { name: "v_1", end: 3, epoch: 39 },
    { name: "v_2", end: 1e-4, epoch: undefined },
  ]);
});
