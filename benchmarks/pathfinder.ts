/**
 * The pathfinder images: geometry and ink of 1,000 images a length beside the constants of the synthesis,
 * speed, and the memory that a set of 20,000 images takes. Writes docs/results/pathfinder.md.
 *
 *   node benchmarks/pathfinder.ts [--python FOLDER --python_seconds SECONDS]
 *
 * FOLDER holds curv_contour_length_* of the Python scripts, made in SECONDS of processor time an image:
 * their images are measured in the same way.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  createSynthesizer,
  decodeGrayPng,
  distractorPlan,
  generatePathfinderImages,
  pathfinderRawFlags,
  type Snake,
} from "@implicit-rank/datasets";
import { markdownTable } from "./timing.ts";

const LENGTHS = [3, 5, 7, 9];
const IMAGES = 1000;
/** Pixels above this, of 255, count as bright. */
const BRIGHT = 100;

const { values: options } = parseArgs({
  options: { python: { type: "string" }, python_seconds: { type: "string" } },
});

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Mean ± standard deviation. */
function spread(values: readonly number[], format: (value: number) => string): string {
  const center = mean(values);
  const deviation = Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
  return `${format(center)} ± ${format(deviation)}`;
}

const percent = (value: number): string => `${(100 * value).toFixed(3)}%`;
const decimals =
  (digits: number) =>
  (value: number): string =>
    value.toFixed(digits);

/** Turns between successive paddles, in radians; a grown paddle points back to its pivot. */
function turns({ paddles }: Snake): number[] {
  const headings = paddles.map(({ orientation }, i) => orientation + (i === 0 ? 0 : Math.PI));
  return headings.slice(1).map((heading, i) => {
    const turn = heading - headings[i]!;
    return Math.abs(Math.atan2(Math.sin(turn), Math.cos(turn)));
  });
}

interface Ink {
  readonly bright: number;
  readonly brightness: number;
  readonly shapes: number;
}

/** Share of bright pixels, mean brightness, and number of separate bright shapes. */
function measureInk(pixels: Uint8Array, width: number): Ink {
  const isBright = pixels.map((value) => (value > BRIGHT ? 1 : 0));
  const bright = mean(isBright);
  let shapes = 0;
  for (let start = 0; start < isBright.length; start++) {
    if (isBright[start] === 0) continue;
    shapes++;
    erase(isBright, start, width);
  }
  return { bright, brightness: mean(pixels) / 255, shapes };
}

/** Erases the shape that a pixel belongs to. */
function erase(isBright: Uint8Array, start: number, width: number): void {
  const open = [start];
  isBright[start] = 0;
  while (open.length > 0) {
    const pixel = open.pop()!;
    for (const dy of [-width, 0, width]) {
      for (const dx of [-1, 0, 1]) {
        if (isBright[pixel + dy + dx] !== 1) continue;
        isBright[pixel + dy + dx] = 0;
        open.push(pixel + dy + dx);
      }
    }
  }
}

function distance(a: readonly [number, number], b: readonly [number, number]): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function measureOurs(length: number) {
  const synthesizer = createSynthesizer(pathfinderRawFlags.parse({ num_samples: 1 }));
  const images = Array.from({ length: IMAGES }, (_, index) => {
    const { pixels, targets, distractors, label } = synthesizer.image(2026, length, index);
    return { ink: measureInk(pixels, 300), targets, distractors, label };
  });
  return {
    length,
    ink: images.map(({ ink }) => ink),
    turns: images.flatMap(({ targets }) => targets.flatMap(turns)),
    spans: images.flatMap(({ targets }) => targets.map(({ origin, tip }) => distance(origin, tip))),
    seeds: images.map(({ targets: [a, b] }) => distance(a.origin, b.origin)),
    distractors: images.map(({ distractors }) => distractors.length),
    paddles: images.flatMap(({ distractors }) => distractors.map((snake) => snake.paddles.length)),
    labels: images.map(({ label }) => label),
  };
}

type Measured = ReturnType<typeof measureOurs>;

function geometryTable(measured: readonly Measured[]): string {
  const plan = (key: "snakes" | "paddles"): string =>
    LENGTHS.map((length) => distractorPlan(length)[key]).join(", ");
  const expectedTurn = (Math.PI ** 2 - 4) / (4 * Math.PI * 1.8);
  const row = (title: string, value: (of: Measured) => string, constant: string): string[] => [
    title,
    ...measured.map(value),
    constant,
  ];
  const rows = [
    row(
      "mean turn between paddles (rad)",
      (of) => mean(of.turns).toFixed(3),
      `${expectedTurn.toFixed(3)} for weights cos²(1.8 · turn), without pixels and obstacles`,
    ),
    row(
      "largest turn (rad)",
      (of) => of.turns.reduce((most, turn) => Math.max(most, turn), 0).toFixed(3),
      `below π / (2 · 1.8) = ${(Math.PI / 3.6).toFixed(3)}`,
    ),
    row("distance of the two origins (pixels)", (of) => spread(of.seeds, decimals(2)), "27"),
    row(
      "origin to tip of a target snake (pixels)",
      (of) => spread(of.spans, decimals(1)),
      `straight: 5 + 11 (L - 1) = ${LENGTHS.map((length) => 5 + 11 * (length - 1)).join(", ")}`,
    ),
    row(
      "distractor snakes",
      (of) => mean(of.distractors).toFixed(2),
      `30 / (L / 3) = ${plan("snakes")}`,
    ),
    row("paddles in each", (of) => mean(of.paddles).toFixed(2), `⌊L / 3⌋ = ${plan("paddles")}`),
    row("images of class 1", (of) => `${(100 * mean(of.labels)).toFixed(1)}%`, "50% ± 1.6%"),
  ];
  return markdownTable(["", ...LENGTHS.map((length) => `L = ${length}`), "constant"], rows);
}

function measurePython(folder: string, length: number): Ink[] {
  const images = join(folder, `curv_contour_length_${length}`, "imgs");
  return readdirSync(images).map((name) => {
    const { pixels, size } = decodeGrayPng(readFileSync(join(images, name)), name);
    return measureInk(pixels, size[1]);
  });
}

function inkTable(measured: readonly Measured[]): string {
  const python = options.python;
  const theirs = python === undefined ? [] : LENGTHS.map((length) => measurePython(python, length));
  const quantities = [
    [`pixels brighter than ${BRIGHT} of 255`, "bright", percent],
    ["mean brightness", "brightness", percent],
    ["separate bright shapes", "shapes", decimals(2)],
  ] as const;
  const rows = quantities.flatMap(([title, key, format]) => {
    const cells = (inks: readonly Ink[]): string =>
      spread(
        inks.map((ink) => ink[key]),
        format,
      );
    const ours = [title, ...measured.map(({ ink }) => cells(ink))];
    if (theirs.length === 0) return [ours];
    return [ours, [`– Python scripts, ${theirs[0]!.length} images`, ...theirs.map(cells)]];
  });
  return markdownTable(["", ...LENGTHS.map((length) => `L = ${length}`)], rows);
}

async function speedLines(folder: string): Promise<string[]> {
  const workers = availableParallelism();
  const before = process.cpuUsage();
  await generatePathfinderImages({
    num_samples: 1000,
    random_seed: 1,
    workers,
    output_dir: folder,
  });
  const { user, system } = process.cpuUsage(before);
  const milliseconds = (user + system) / 1000 / 4000;
  const python = 1000 * Number(options.python_seconds);
  return [
    `- Images: ${milliseconds.toFixed(2)} ms of processor time each, PNG file and start of the ${workers} workers included (4,000 images).`,
    ...(Number.isFinite(python)
      ? [
          `- The Python scripts take ${python.toFixed(0)} ms of processor time an image on the same machine, start not included: ${(python / milliseconds).toFixed(0)} times as much. They use one core; here the work is split over all of them.`,
        ]
      : []),
  ];
}

/** Peak memory of a process that makes a set of 20,000 images. */
function memoryLine(folder: string): string {
  const program = `
    const { generatePathfinderSets } = await import("@implicit-rank/datasets");
    const place = { dataset_path: process.argv[1], output_dir: process.argv[1] };
    await generatePathfinderSets({ ...place, num_train_samples: 10000, num_test_samples: 10000 });
    console.log(process.resourceUsage().maxRSS / 1024);`;
  const args = ["--input-type=module", "-e", program, folder];
  const child = spawnSync(process.execPath, args, { encoding: "utf8", cwd: import.meta.dirname });
  if (child.status !== 0) throw new Error(child.stderr);
  return `- Sets: 10,000 training and 10,000 test images take ${Number(child.stdout).toFixed(0)} MiB of memory at most.`;
}

const measured = LENGTHS.map(measureOurs);
const folder = mkdtempSync(join(tmpdir(), "pathfinder-"));
try {
  const speed = await speedLines(folder);
  console.log(speed.join("\n"));
  rmSync(folder, { recursive: true });
  await generatePathfinderImages({
    num_samples: 20_000,
    path_lengths: [9],
    random_seed: 1,
    output_dir: folder,
  });
  const text = `# Pathfinder images: statistics, speed and memory

Made by \`node benchmarks/pathfinder.ts\` with the default flags of \`implicit-rank data pathfinder-raw\`.

![Images of length 3, 5, 7 and 9; above, both markers are on one path](pathfinder.png)

## Geometry of ${IMAGES} images a length, beside the constants of the synthesis

${geometryTable(measured)}

## Ink

${inkTable(measured)}

Values are mean ± standard deviation over images (or snakes).

## Speed and memory

${[...speed, memoryLine(folder)].join("\n")}
`;
  writeFileSync(new URL("../docs/results/pathfinder.md", import.meta.url), text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
