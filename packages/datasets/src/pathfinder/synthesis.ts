import { createRandom, type Random } from "@implicit-rank/random";
import { flagError } from "../error.ts";
import { createBrush, type Brush } from "./brush.ts";
import { Field } from "./field.ts";
import type { PathfinderSettings } from "./raw-flags.ts";
import { blockPaddle, drawSnake, growSnake, seedNear, seedSnake, type Snake } from "./snake.ts";
import { markerStencil, type Stencil } from "./stencil.ts";

/** What is drawn first of an image's random numbers, and so known without making it. */
export interface ImageDraws {
  /** 1: the markers are at the two ends of one snake; 0: at ends of different ones. */
  readonly label: 0 | 1;
  readonly margin: number;
}

/** An image with all that was drawn into it. */
export interface PathfinderImage extends ImageDraws {
  /** 8-bit gray, row-major; reused by the next image. */
  readonly pixels: Uint8Array;
  readonly targets: readonly [Snake, Snake];
  readonly distractors: readonly Snake[];
  /** The tips that are marked. */
  readonly markers: readonly [readonly [number, number], readonly [number, number]];
}

/** Failures of the two target snakes in a row after which the settings are taken for impossible. */
const MAX_RESTARTS = 5_000;
/** Below this share of free pixels no further distractor is seeded. */
const FULL = 0.01;

/** Number of distractor snakes for a path length, and paddles in each. */
export function distractorPlan(pathLength: number): { snakes: number; paddles: number } {
  return { snakes: Math.ceil(90 / pathLength), paddles: Math.max(1, Math.floor(pathLength / 3)) };
}

/** The paddles of one image when single paddles fill it up: 150 at margin 3. */
function totalPaddles(margin: number): number {
  return Math.floor(150 / ((7.5 + 13 * margin + 4 * margin * margin) / 123.5));
}

/** The random numbers of image `index`: those of no other image, whoever makes it. */
function imageRandom(seed: number, pathLength: number, index: number): Random {
  return createRandom(seed).fork(`pathfinder ${pathLength}`).fork(`image ${index}`);
}

function drawFirst(settings: PathfinderSettings, random: Random): ImageDraws {
  const label = random.int(2) as 0 | 1;
  const margins = settings.paddle_margin_list;
  return { label, margin: margins[random.int(margins.length)]! };
}

/** Label and margin of an image. */
export function imageDraws(
  settings: PathfinderSettings,
  seed: number,
  pathLength: number,
  index: number,
): ImageDraws {
  return drawFirst(settings, imageRandom(seed, pathLength, index));
}

/** Makes the images of one setting; what they share is prepared once. */
export interface PathfinderSynthesizer {
  /** @throws DatasetError (exit code 2) if target snakes of this length do not fit */
  image(seed: number, pathLength: number, index: number): PathfinderImage;
}

/** Synthesis after Linsley et al. 2018 (arXiv 1805.08315), as the counterpart's constants have it. */
export function createSynthesizer(settings: PathfinderSettings): PathfinderSynthesizer {
  const field = new Field(settings.window_size as [number, number], settings.padding);
  const pixels = new Uint8Array(field.height * field.width);
  const brushes = new Map(
    settings.paddle_margin_list.map((margin) => [margin, createBrush(settings, margin)]),
  );
  const marker = markerStencil(settings.marker_radius, settings.antialias_scale);
  return {
    image(seed, pathLength, index) {
      const random = imageRandom(seed, pathLength, index);
      const draws = drawFirst(settings, random);
      field.clear();
      const brush = brushes.get(draws.margin)!;
      const targets = placeTargets(field, brush, settings, pathLength, random);
      const distractors = placeDistractors(field, brush, settings, pathLength, random);
      for (const snake of [...targets, ...distractors]) drawSnake(field, brush, snake);
      const markers = placeMarkers(field, marker, targets, draws.label, random);
      quantize(field.image, pixels);
      return { ...draws, pixels, targets, distractors, markers };
    },
  };
}

/** Two snakes of `pathLength` paddles that grow in turn; both start again when one of them fails. */
function placeTargets(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  pathLength: number,
  random: Random,
): readonly [Snake, Snake] {
  for (let restart = 0; restart < MAX_RESTARTS; restart++) {
    const pair = tryTargets(field, brush, settings, pathLength, random);
    if (pair !== undefined) return pair;
    field.undoTo(0);
  }
  const [height, width] = settings.window_size as [number, number];
  throw flagError(
    "path_lengths",
    `two paths of ${pathLength} paddles do not fit ${height} × ${width} pixels; use shorter paths or a larger --window_size`,
  );
}

function tryTargets(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  pathLength: number,
  random: Random,
): readonly [Snake, Snake] | undefined {
  const snakeContrasts = [...settings.snake_contrast_list, ...settings.snake_contrast_list];
  random.shuffle(snakeContrasts);
  const paddleContrast = () => pick(settings.paddle_contrast_list, random);
  const first = seedSnake(
    field,
    brush,
    settings,
    2 * settings.seed_distance,
    paddleContrast() * snakeContrasts[0]!,
    random,
  );
  if (first === undefined) return undefined;
  const contrast = paddleContrast() * snakeContrasts[1]!;
  const second = seedNear(field, brush, settings, first.origin, contrast, random);
  if (second === undefined) return undefined;
  for (let paddle = 1; paddle < pathLength; paddle++) {
    const shared = paddleContrast();
    if (!growSnake(field, brush, settings, first, shared * snakeContrasts[0]!, random)) return;
    if (!growSnake(field, brush, settings, second, shared * snakeContrasts[1]!, random)) return;
  }
  for (const snake of [first, second]) blockPaddle(field, brush, snake.paddles.at(-1)!);
  return [first, second];
}

function pick(values: readonly number[], random: Random): number {
  return values[random.int(values.length)]!;
}

function placeDistractors(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  pathLength: number,
  random: Random,
): readonly Snake[] {
  const plan = distractorPlan(pathLength);
  const retrials = settings.max_distractor_contour_retrial;
  const snakes: Snake[] = [];
  for (let i = 0; i < plan.snakes; i++) {
    const snake = placeDistractor(field, brush, settings, plan.paddles, retrials, random);
    if (snake !== undefined) snakes.push(snake);
  }
  if (!settings.use_single_paddles) return snakes;
  const drawn = 2 * pathLength + plan.snakes * plan.paddles;
  for (let i = drawn; i < totalPaddles(brush.margin); i++) {
    const paddle = placeDistractor(field, brush, settings, 1, settings.max_paddle_retrial, random);
    if (paddle !== undefined) snakes.push(paddle);
  }
  return snakes;
}

/** One snake of `paddles` paddles anywhere; undefined if it failed more than `retrials` times. */
function placeDistractor(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  paddles: number,
  retrials: number,
  random: Random,
): Snake | undefined {
  for (let trial = 0; trial <= retrials; trial++) {
    if (field.freeShare() < FULL) return undefined;
    const mark = field.mark();
    const contrast = () => pick(settings.snake_contrast_list, random);
    const snake = seedSnake(field, brush, settings, 1, contrast(), random);
    if (snake === undefined) continue;
    let grown = 1;
    while (grown < paddles && growSnake(field, brush, settings, snake, contrast(), random)) grown++;
    if (grown === paddles) {
      blockPaddle(field, brush, snake.paddles.at(-1)!);
      return snake;
    }
    field.undoTo(mark);
  }
  return undefined;
}

function placeMarkers(
  field: Field,
  marker: Stencil,
  targets: readonly [Snake, Snake],
  label: 0 | 1,
  random: Random,
): PathfinderImage["markers"] {
  const origin = random.int(2) as 0 | 1;
  const terminal = label === 1 ? origin : 1 - origin;
  const markers = [targets[origin].origin, targets[terminal]!.tip] as const;
  for (const [y, x] of markers) field.draw(marker, y, x, 1);
  return markers;
}

/** Scales to a maximum of 255 and rounds down. */
function quantize(image: Float32Array, pixels: Uint8Array): void {
  let brightest = 0;
  for (let i = 0; i < image.length; i++) {
    if (image[i]! > brightest) brightest = image[i]!;
  }
  const scale = 255 / brightest;
  for (let i = 0; i < image.length; i++) pixels[i] = Math.min(255, image[i]! * scale);
}
