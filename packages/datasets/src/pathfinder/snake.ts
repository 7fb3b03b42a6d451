import type { Random } from "@implicit-rank/random";
import type { Brush } from "./brush.ts";
import type { Field } from "./field.ts";
import type { PathfinderSettings } from "./raw-flags.ts";
import { translate } from "./stencil.ts";

/** @inline */
type Point = readonly [y: number, x: number];

/** A paddle where it was put: `at` is the end it is drawn from, `orientation` where it points from there. */
export interface Paddle {
  readonly at: Point;
  readonly orientation: number;
  readonly contrast: number;
}

/** A row of paddles that grows at one end. */
export interface Snake {
  readonly paddles: Paddle[];
  /** The tip that it started from. */
  readonly origin: Point;
  /** Between the last paddle and what is before it. */
  pivot: Point;
  /** The direction from the pivot to the last paddle's far end. */
  orientation: number;
  /** The far end of the last paddle; of the first one it is not known. */
  tip: Point;
}

/** A uniform whole degree from -180 to 179, in radians. */
function drawOrientation(random: Random): number {
  return ((random.int(360) - 180) * Math.PI) / 180;
}

function opposite(orientation: number): number {
  return orientation < 0 ? orientation + Math.PI : orientation - Math.PI;
}

/** Starts a snake with its first paddle at `tail`; undefined if it reaches out of the image. */
function startAt(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  tail: Point,
  orientation: number,
  contrast: number,
): Snake | undefined {
  const length = settings.paddle_length;
  const head = translate(tail, orientation, length);
  const pivot = translate(head, opposite(orientation), length + brush.margin);
  if (![tail, head, pivot].every(([y, x]) => field.contains(y, x))) return undefined;
  const paddle = { at: tail, orientation, contrast };
  return { paddles: [paddle], origin: tail, pivot, orientation, tip: head };
}

/**
 * A snake of one paddle at a uniform place where it fits, away from the edge by `border`.
 * Undefined if there is no place.
 */
export function seedSnake(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  border: number,
  contrast: number,
  random: Random,
): Snake | undefined {
  for (let trial = 0; trial <= settings.max_paddle_retrial; trial++) {
    const orientation = drawOrientation(random);
    const tail = field.drawFreePixel(brush.paddle(orientation), border, random);
    if (tail === undefined) return undefined;
    const snake = startAt(field, brush, settings, tail, orientation, contrast);
    if (snake !== undefined) return snake;
  }
  return undefined;
}

/** A snake whose first paddle starts at a given distance from `center`, in a uniform direction. */
export function seedNear(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  center: Point,
  contrast: number,
  random: Random,
): Snake | undefined {
  for (let trial = 0; trial <= settings.max_paddle_retrial; trial++) {
    const orientation = drawOrientation(random);
    const direction = (random.int(360) * Math.PI) / 180;
    const tail: Point = [
      Math.round(center[0] + settings.seed_distance * Math.sin(direction)),
      Math.round(center[1] + settings.seed_distance * Math.cos(direction)),
    ];
    const snake = startAt(field, brush, settings, tail, orientation, contrast);
    if (snake !== undefined) return snake;
  }
  return undefined;
}

/** Below this total weight of all candidates a snake is at a dead end. */
const DEAD_END = 1e-4;

/**
 * Lets a snake grow by one paddle and blocks the pixels of the one before. The far end is drawn from a
 * circle about the new pivot with weights cos²(min(continuity · turn, π/2)) · (1 - blocked nearby).
 * False if it cannot: a dead end, or a crossing at every trial.
 */
export function growSnake(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  snake: Snake,
  contrast: number,
  random: Random,
): boolean {
  const stride = settings.paddle_length + 2 * brush.margin;
  const pivot = translate(snake.pivot, snake.orientation, stride);
  const weights = candidateWeights(field, brush, settings, pivot, snake.orientation);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total < DEAD_END) return false;
  for (let trial = 0; trial <= settings.max_paddle_retrial; trial++) {
    const candidate = brush.candidates[drawIndex(weights, total, random)]!;
    const tip: Point = [pivot[0] + candidate.dy, pivot[1] + candidate.dx];
    const towardsPivot = opposite(candidate.orientation);
    if (field.crosses(brush.paddle(towardsPivot), ...tip)) continue;
    blockPaddle(field, brush, snake.paddles.at(-1)!);
    snake.paddles.push({ at: tip, orientation: towardsPivot, contrast });
    snake.pivot = pivot;
    snake.orientation = candidate.orientation;
    snake.tip = tip;
    return true;
  }
  return false;
}

function candidateWeights(
  field: Field,
  brush: Brush,
  settings: PathfinderSettings,
  pivot: Point,
  heading: number,
): number[] {
  return brush.candidates.map(({ dy, dx, orientation }) => {
    const [y, x] = [pivot[0] + dy, pivot[1] + dx];
    if (!field.contains(y, x)) return 0;
    const difference = Math.abs(orientation - heading);
    const turn = Math.min(difference, 2 * Math.PI - difference) * settings.continuity;
    if (turn >= Math.PI / 2) return 0;
    return Math.cos(turn) ** 2 * (1 - field.blockedAround(brush.disc, y, x));
  });
}

function drawIndex(weights: readonly number[], total: number, random: Random): number {
  let rest = random.uniform() * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    last = i;
    rest -= weights[i]!;
    if (rest < 0) return i;
  }
  return last;
}

export function blockPaddle(field: Field, brush: Brush, paddle: Paddle): void {
  field.block(brush.paddle(paddle.orientation), ...paddle.at);
}

export function drawSnake(field: Field, brush: Brush, snake: Snake): void {
  for (const { at, orientation, contrast } of snake.paddles) {
    field.draw(brush.paddle(orientation), ...at, contrast);
  }
}
