import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { pathfinderRawFlags, type PathfinderRawOptions } from "../../src/pathfinder/raw-flags.ts";
import { createSynthesizer, distractorPlan, imageDraws } from "../../src/pathfinder/synthesis.ts";
import type { Snake } from "../../src/pathfinder/snake.ts";

const settings = (options: Partial<PathfinderRawOptions> = {}) =>
  pathfinderRawFlags.parse({ num_samples: 1, ...options });
const standard = createSynthesizer(settings());
const sha = (pixels: Uint8Array) => createHash("sha256").update(pixels).digest("hex").slice(0, 16);

describe("an image", () => {
  it("has the recorded pixels, which must never change, in whatever order images are made", () => {
    const hashes = (indices: number[]) => indices.map((i) => sha(standard.image(1, 9, i).pixels));
    const forwards = hashes([0, 1, 2]);
    expect(hashes([2, 1, 0])).toEqual(forwards.toReversed());
    expect(forwards).toMatchInlineSnapshot(`
      [
        "50e47c45ea789bf6",
        "300d34ac2ea27e79",
        "dbe73ddcb85d644b",
      ]
    `);
    expect(sha(standard.image(2, 9, 0).pixels)).not.toBe(forwards[0]);
  });

  it.each([3, 5, 7, 9])(
    "of length %d has two target snakes, distractors, and markers by its label",
    (length) => {
      for (let index = 0; index < 30; index++) {
        const image = standard.image(3, length, index);
        expect({ label: image.label, margin: image.margin }).toEqual(
          imageDraws(settings(), 3, length, index),
        );
        expect(image.targets.map((snake) => snake.paddles.length)).toEqual([length, length]);
        expect(image.distractors.length).toBeLessThanOrEqual(distractorPlan(length).snakes);
        for (const snake of image.distractors)
          expect(snake.paddles.length).toBe(Math.floor(length / 3));
        const [origin, terminal] = image.markers;
        const owner = image.targets.findIndex((snake) => snake.origin === origin);
        expect(image.targets[image.label === 1 ? owner : 1 - owner]!.tip).toBe(terminal);
      }
    },
  );

  it("is black but for the shapes, with a maximum of 255 and markers as bright disks", () => {
    const { pixels, markers } = standard.image(4, 5, 0);
    expect(Math.max(...pixels)).toBe(255);
    expect(pixels.filter((p) => p === 0).length / pixels.length).toBeGreaterThan(0.97);
    for (const [y, x] of markers) {
      for (const [dy, dx] of [
        [0, 0],
        [0, 2],
        [0, -2],
        [2, 0],
        [-2, 0],
        [1, 1],
        [-1, -1],
      ] as const) {
        expect(pixels[(y + dy) * 300 + x + dx]).toBeGreaterThan(180);
      }
    }
  });
});

describe("distractor plan", () => {
  it("is 30 / (L / 3) snakes of L / 3 paddles, whole ones", () => {
    expect([3, 5, 7, 9].map(distractorPlan)).toEqual([
      { snakes: 30, paddles: 1 },
      { snakes: 18, paddles: 1 },
      { snakes: 13, paddles: 2 },
      { snakes: 10, paddles: 3 },
    ]);
  });
});

describe("a snake", () => {
  const images = Array.from({ length: 150 }, (_, i) => {
    const { targets, distractors } = standard.image(5, 9, i);
    return { targets, distractors };
  });
  const turns = (snake: Snake) => {
    // A grown paddle points back to its pivot; the first one points ahead.
    const headings = snake.paddles.map(({ orientation }, i) =>
      i === 0 ? orientation : orientation + Math.PI,
    );
    return headings
      .slice(1)
      .map((heading, i) =>
        Math.abs(Math.atan2(Math.sin(heading - headings[i]!), Math.cos(heading - headings[i]!))),
      );
  };

  it("never turns by more than π / (2 · continuity) at once", () => {
    for (const { targets, distractors } of images) {
      for (const snake of [...targets, ...distractors]) {
        for (const turn of turns(snake)) expect(turn).toBeLessThan(Math.PI / 2 / 1.8);
      }
    }
  });

  it("turns as cos²(continuity · turn) says: the mean of |turn| over targets", () => {
    // ∫ t cos²(ct) / ∫ cos²(ct) over 0 … π/(2c) = (π² - 4) / (4 π c) = 0.26 at 1.8; obstacles and pixels shift it a bit.
    const all = images.flatMap(({ targets }) => targets.flatMap(turns));
    const mean = all.reduce((sum, turn) => sum + turn, 0) / all.length;
    expect(all.length).toBe(150 * 2 * 8);
    expect(mean).toBeCloseTo((Math.PI ** 2 - 4) / (4 * Math.PI * 1.8), 1);
  });

  it("has whole distances: origins seed_distance apart, paddles a stride apart", () => {
    for (const { targets } of images) {
      const [a, b] = targets.map((snake) => snake.origin);
      expect(Math.abs(Math.hypot(a![0] - b![0], a![1] - b![1]) - 27)).toBeLessThan(1);
      for (const { paddles } of targets) {
        for (let i = 2; i < paddles.length; i++) {
          const [p, q] = [paddles[i - 1]!.at, paddles[i]!.at];
          expect(Math.hypot(p[0] - q[0], p[1] - q[1])).toBeGreaterThan(6);
          expect(Math.hypot(p[0] - q[0], p[1] - q[1])).toBeLessThan(14);
        }
      }
    }
  });

  it("of distractors keeps away from all others", () => {
    // Target snakes grow side by side and block a paddle only after the next one, as in the original:
    // their heads may meet. Distractors come later and see all of them.
    for (const { targets, distractors } of images.slice(0, 40)) {
      const snakes = [...targets, ...distractors].map((snake) =>
        snake.paddles.flatMap(({ at, orientation }) =>
          [0, 2.5, 5].map(
            (t) => [at[0] + t * Math.sin(orientation), at[1] + t * Math.cos(orientation)] as const,
          ),
        ),
      );
      snakes.forEach((first, i) => {
        for (const second of snakes.slice(Math.max(2, i + 1))) {
          const nearest = first.reduce(
            (least, [y, x]) =>
              second.reduce((sofar, [v, u]) => Math.min(sofar, Math.hypot(y - v, x - u)), least),
            Infinity,
          );
          expect(nearest).toBeGreaterThan(3);
        }
      });
    }
  });
});

it("labels are balanced", () => {
  let positive = 0;
  for (let i = 0; i < 4000; i++) positive += imageDraws(settings(), 6, 9, i).label;
  expect(Math.abs(positive - 2000)).toBeLessThan(5 * Math.sqrt(1000));
});

describe("other settings", () => {
  it("contrasts, margins, thickness, scale, window and single paddles take effect", () => {
    const various = createSynthesizer(
      settings({
        window_size: [200, 260],
        snake_contrast_list: [0.5, 1],
        paddle_contrast_list: [0.6, 1],
        paddle_margin_list: [2, 3],
        paddle_thickness: 3,
        antialias_scale: 3,
        use_single_paddles: true,
      }),
    );
    const images = Array.from({ length: 20 }, (_, i) => {
      const { margin, targets, distractors, pixels } = various.image(7, 5, i);
      return { margin, targets, distractors, size: pixels.length };
    });
    expect(new Set(images.map(({ margin }) => margin))).toEqual(new Set([2, 3]));
    expect(images[0]!.size).toBe(200 * 260);
    const contrasts = new Set(
      images.flatMap(({ targets }) => targets.flatMap((s) => s.paddles.map((p) => p.contrast))),
    );
    expect([...contrasts].sort()).toEqual([0.3, 0.5, 0.6, 1]);
    for (const { distractors } of images)
      expect(distractors.length).toBeGreaterThan(distractorPlan(5).snakes);
  });

  it("a path that does not fit is an error that names the flag", () => {
    const tiny = createSynthesizer(
      settings({ window_size: [64, 64], seed_distance: 12, padding: 8 }),
    );
    expect(() => tiny.image(1, 25, 0)).toThrow(
      "--path_lengths: two paths of 25 paddles do not fit 64 × 64 pixels; use shorter paths or a larger --window_size",
    );
  });
});
