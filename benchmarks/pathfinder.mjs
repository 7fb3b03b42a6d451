// Measures the pathfinder images: geometry and ink of 1,000 images a length beside the constants of the
// synthesis, speed, and the memory that a set of 20,000 images takes. Writes docs/results/pathfinder.md.
//
//   npm run build && node benchmarks/pathfinder.mjs [--python FOLDER SECONDS]
//
// FOLDER holds curv_contour_length_* of the Python scripts, made in SECONDS of processor time an image:
// their images are measured in the same way.
import { mkdtempSync, readFileSync, rmSync, writeFileSync, readdirSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import {
  createSynthesizer,
  decodeGrayPng,
  distractorPlan,
  generatePathfinderImages,
  pathfinderRawFlags,
} from "../packages/datasets/dist/index.js";

const LENGTHS = [3, 5, 7, 9];
const IMAGES = 1000;
const python = process.argv.includes("--python")
  ? {
      folder: process.argv[process.argv.indexOf("--python") + 1],
      seconds: Number(process.argv[process.argv.indexOf("--python") + 2]),
    }
  : undefined;

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
const percent = (value) => `${(100 * value).toFixed(3)}%`;

/** Turns between successive paddles, in radians. */
function turns({ paddles }) {
  const headings = paddles.map(({ orientation }, i) =>
    i === 0 ? orientation : orientation + Math.PI,
  );
  return headings.slice(1).map((heading, i) => {
    const turn = heading - headings[i];
    return Math.abs(Math.atan2(Math.sin(turn), Math.cos(turn)));
  });
}

/** Share of bright pixels, mean brightness, and number of separate bright shapes. */
function measureImage(pixels, width) {
  const bright = Uint8Array.from(pixels, (value) => (value > 100 ? 1 : 0));
  const ink = mean(bright);
  let shapes = 0;
  for (let start = 0; start < bright.length; start++) {
    if (bright[start] === 0) continue;
    shapes++;
    const open = [start];
    bright[start] = 0;
    while (open.length > 0) {
      const pixel = open.pop();
      for (const dy of [-1, 0, 1]) {
        for (const dx of [-1, 0, 1]) {
          const next = pixel + dy * width + dx;
          if (bright[next] === 1) {
            bright[next] = 0;
            open.push(next);
          }
        }
      }
    }
  }
  return { ink, brightness: mean(pixels) / 255, shapes };
}

function ours(length) {
  const synthesizer = createSynthesizer(pathfinderRawFlags.parse({ num_samples: 1 }));
  const measured = {
    ink: [],
    brightness: [],
    shapes: [],
    turns: [],
    spans: [],
    seeds: [],
    distractors: [],
    paddles: [],
    labels: [],
  };
  for (let index = 0; index < IMAGES; index++) {
    const { pixels, targets, distractors, label } = synthesizer.image(2026, length, index);
    const { ink, brightness, shapes } = measureImage(pixels, 300);
    measured.ink.push(ink);
    measured.brightness.push(brightness);
    measured.shapes.push(shapes);
    measured.labels.push(label);
    measured.turns.push(...targets.flatMap(turns));
    measured.spans.push(
      ...targets.map(({ origin, tip }) => Math.hypot(origin[0] - tip[0], origin[1] - tip[1])),
    );
    measured.seeds.push(
      Math.hypot(
        targets[0].origin[0] - targets[1].origin[0],
        targets[0].origin[1] - targets[1].origin[1],
      ),
    );
    measured.distractors.push(distractors.length);
    measured.paddles.push(...distractors.map(({ paddles }) => paddles.length));
  }
  return measured;
}

function theirs(length) {
  const folder = join(python.folder, `curv_contour_length_${length}`, "imgs");
  const measured = readdirSync(folder).map((name) => {
    const { pixels, size } = decodeGrayPng(readFileSync(join(folder, name)), name);
    return measureImage(pixels, size[1]);
  });
  const column = (key) => measured.map((image) => image[key]);
  return { ink: column("ink"), brightness: column("brightness"), shapes: column("shapes") };
}

async function speed(folder) {
  const before = process.cpuUsage();
  const start = performance.now();
  const workers = cpus().length;
  await generatePathfinderImages({
    num_samples: 1000,
    random_seed: 1,
    workers,
    output_dir: folder,
  });
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - start) / 4000, cpu: (user + system) / 1000 / 4000, workers };
}

/** Peak memory of a process that makes a set of all raw images of the folder, each used several times over. */
function setMemory(folder) {
  const program = `
    import { generatePathfinderSets } from ${JSON.stringify(new URL("../packages/datasets/dist/index.js", import.meta.url).href)};
    const start = performance.now();
    await generatePathfinderSets({ dataset_path: process.argv[1], output_dir: process.argv[1], num_train_samples: 10000, num_test_samples: 10000 });
    console.log(JSON.stringify({ megabytes: process.resourceUsage().maxRSS / 1024, seconds: (performance.now() - start) / 1000 }));`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", program, folder], {
    encoding: "utf8",
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

const row = (...cells) => `| ${cells.join(" | ")} |`;
const lines = [
  "# Pathfinder images: statistics and speed",
  "",
  "Made by `node benchmarks/pathfinder.mjs`; default flags of `implicit-rank data pathfinder-raw`.",
  "",
  `## Geometry of ${IMAGES} images a length, beside the constants of the synthesis`,
  "",
  row("", ...LENGTHS.map((length) => `L = ${length}`), "constant"),
  row("---", ...LENGTHS.map(() => "---"), "---"),
];
const measured = LENGTHS.map(ours);
const perLength = (title, value, constant) =>
  lines.push(row(title, ...measured.map(value), constant));
perLength(
  "mean turn between paddles (rad)",
  ({ turns }) => (turns.length ? mean(turns).toFixed(3) : "–"),
  `${((Math.PI ** 2 - 4) / (4 * Math.PI * 1.8)).toFixed(3)} for cos²(1.8 · turn) without pixels and obstacles`,
);
perLength(
  "largest turn (rad)",
  ({ turns }) => turns.reduce((a, b) => Math.max(a, b), 0).toFixed(3),
  `below π / (2 · 1.8) = ${(Math.PI / 3.6).toFixed(3)}`,
);
perLength(
  "distance of the two origins (pixels)",
  ({ seeds }) => `${mean(seeds).toFixed(2)} ± ${deviation(seeds).toFixed(2)}`,
  "27, rounded to pixels",
);
perLength(
  "origin to tip of a target snake (pixels)",
  ({ spans }) => `${mean(spans).toFixed(1)} ± ${deviation(spans).toFixed(1)}`,
  "at most 5 L + 6 (L - 1) + rounding",
);
perLength(
  "distractor snakes",
  ({ distractors }) => mean(distractors).toFixed(2),
  `30 / (L / 3): ${LENGTHS.map((length) => distractorPlan(length).snakes).join(", ")}`,
);
perLength(
  "paddles in each",
  ({ paddles }) => mean(paddles).toFixed(2),
  `⌊L / 3⌋: ${LENGTHS.map((length) => distractorPlan(length).paddles).join(", ")}`,
);
perLength(
  "images with label 1",
  ({ labels }) => percent(mean(labels)).replace(/\.\d+/, (digits) => digits.slice(0, 2)),
  "50% ± 1.6%",
);
lines.push(
  "",
  "## Ink",
  "",
  row("", ...LENGTHS.map((length) => `L = ${length}`)),
  row("---", ...LENGTHS.map(() => "---")),
);
const compare = python === undefined ? undefined : LENGTHS.map(theirs);
for (const [title, key, format] of [
  ["pixels brighter than 100 of 255", "ink", percent],
  ["mean brightness", "brightness", percent],
  ["separate bright shapes", "shapes", (value) => value.toFixed(2)],
]) {
  lines.push(
    row(
      title,
      ...measured.map(
        (values) => `${format(mean(values[key]))} ± ${format(deviation(values[key]))}`,
      ),
    ),
  );
  if (compare)
    lines.push(
      row(
        `– Python scripts (${compare[0].ink.length} images)`,
        ...compare.map(
          (values) => `${format(mean(values[key]))} ± ${format(deviation(values[key]))}`,
        ),
      ),
    );
}
lines.push("", "Values are mean ± standard deviation over images.", "", "## Speed and memory", "");
const folder = mkdtempSync(join(tmpdir(), "pathfinder-"));
try {
  const { wall, cpu, workers } = await speed(folder);
  lines.push(
    `- ${cpu.toFixed(2)} ms of processor time an image, PNG file included (4,000 images, ${workers} workers, ${wall.toFixed(2)} ms of wall time an image on a machine with other work).`,
  );
  if (python)
    lines.push(
      `- The Python scripts take ${(1000 * python.seconds).toFixed(0)} ms of processor time an image on the same machine: ${((1000 * python.seconds) / cpu).toFixed(0)} times as much.`,
    );
  rmSync(folder, { recursive: true });
  await generatePathfinderImages({
    num_samples: 20000,
    path_lengths: [9],
    random_seed: 1,
    output_dir: folder,
  });
  const { megabytes, seconds } = setMemory(folder);
  lines.push(
    `- \`data pathfinder\` with 10,000 training and 10,000 test images: ${megabytes.toFixed(0)} MiB at most, ${seconds.toFixed(0)} s.`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
writeFileSync(new URL("../docs/results/pathfinder.md", import.meta.url), `${lines.join("\n")}\n`);
