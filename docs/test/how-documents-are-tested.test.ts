import { describe, expect, test } from "vitest";
import { readMarkers } from "./document/markers.ts";
import { parseDocument } from "./document/read-document.ts";
import { checkCommandLine } from "./run/check-command-line.ts";
import { difference } from "./run/compare-output.ts";
import { checkInstalled, installedPackages } from "./run/installs.ts";
import { shortenedCode } from "./run/shortened-code.ts";

describe("outputs", () => {
  const real = `made data/set_2026_11_25-03_37_12.safetensors in 12 ms
  loss 1.5e-3, hash 74e7f08d63ba

done`;
  test.each([
    "made data/set_2022_01_31-00_00_00.safetensors in 1.2 s\nloss 9, hash 0123456789ab\ndone",
    "made …\n…\ndone",
    "…\nloss 1, hash …\n…",
    "…",
  ])("may differ in what varies: %j", (shown) => {
    expect(difference(shown, real)).toBeUndefined();
  });
  test.each([
    ["made data/set_2022_01_31-00_00_00.safetensors in 1.2 s\ndone", "is: loss 1.5e-3"],
    ["made …\n…", undefined],
    ["made …", "not shown, not even by …: loss"],
    ["…\nloss small, hash …\n…", "shown: loss small"],
    ["made …\n…\ndone\ndone", "is: (the end of the output)"],
  ])("must not differ in words and lines: %j", (shown, said) => {
    const found = difference(shown, real);
    if (said === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(said);
  });
});

describe("comments", () => {
  test("say how a block is shortened", () => {
    const markers = readMarkers([
      "<!-- shortened: --epochs 50 -> 2, --seed 0..4 -> 0 --workers 1, --open ->, A -> b: 1, c: 2 -->",
    ]);
    expect(markers.shortened).toEqual([
      { from: "--epochs 50", to: "--epochs 2" },
      { from: "--seed 0..4", to: "--seed 0 --workers 1" },
      { from: "--open", to: "" },
      { from: "A", to: "b: 1, c: 2" },
    ]);
  });
  test.each([
    ["<!-- not run: -->", "says nothing"],
    ["<!-- Ctrl-C: soon -->", 'must be: when "TEXT" is printed'],
    ["<!-- shortened: --epochs 2 -->", "must be: A -> B"],
  ])("%s is refused", (comment, said) => {
    expect(() => readMarkers([comment])).toThrow(said);
  });
  test("belong to the next block only", () => {
    const page = "<!-- exit code: 2 -->\n\n```sh\na\n```\n\n```sh\nb\n```\n";
    const { blocks } = parseDocument(page, "page.md");
    expect(blocks.map(({ place, markers }) => [place, markers.exitCode])).toEqual([
      ["page.md:3", 2],
      ["page.md:7", 0],
    ]);
  });
  test("must fit the block that they shorten", () => {
    const { blocks } = parseDocument(
      "<!-- shortened: --epochs 50 -> 2 -->\n\n```sh\ntrain --epochs 60\n```\n",
      "page.md",
    );
    expect(() => shortenedCode(blocks[0]!)).toThrow('"--epochs 50" is not in the block');
  });
});

describe("command lines that are not run", () => {
  test.each([
    "train mf --dataset_path A --epochs 5 --num-train-samples=3",
    "sweep mf,cp --dataset_path mf=A,cp=B --lr 0.1,0.01 --seed 0..4 --executor slurm",
    "runs list",
    "--help",
  ])("are parsed: %s", async (line) => {
    await expect(checkCommandLine(line.split(" "))).resolves.toBeUndefined();
  });
  test.each([
    ["train mf --dataset_path A --epoch 5", "there is no such flag"],
    ["train mf --dataset_path A --epochs five", "must be"],
    ["train mf --dataset_path A --optimizer best", "must be one of"],
    ["train mf", "--dataset_path: is required"],
    ["sweep mf --dataset_path A --lr 0.1,-1", "must be greater than 0"],
    ["sweep nothing --dataset_path A", "is no kind of experiment"],
    ["runs show", "0 arguments"],
    ["run show a", "there is no such command"],
  ])("are refused: %s", async (line, said) => {
    await expect(checkCommandLine(line.split(" "))).rejects.toThrow(said);
  });
});

test("packages to install must be there", () => {
  expect(installedPackages("npm install -g zod @implicit-rank/cli\n")).toEqual([
    "zod",
    "@implicit-rank/cli",
  ]);
  expect(installedPackages("npm install a\nb\n")).toBeUndefined();
  expect(() => checkInstalled(["zod", "@implicit-rank/nothing"])).toThrow("@implicit-rank/nothing");
});
