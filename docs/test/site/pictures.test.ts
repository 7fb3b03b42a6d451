import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "node-html-parser";
import { expect, test } from "vitest";
import { drawPictures } from "../../pictures/pictures.ts";

const folder = resolve(import.meta.dirname, "../../pictures");
const drawn = await drawPictures();
const theory = readFileSync(resolve(folder, "../theory.md"), "utf8");

test("the files are all the pictures there are, and the theory shows each", () => {
  const names = [...drawn.keys()].toSorted();
  expect(globSync("*.svg", { cwd: folder }).toSorted()).toEqual(names.map((name) => `${name}.svg`));
  for (const name of names) expect(theory).toContain(`(pictures/${name}.svg)`);
});

test.each([...drawn])("%s is drawn again to the same bytes", (name, svg) => {
  expect(readFileSync(resolve(folder, `${name}.svg`), "utf8")).toBe(svg);
});

test.each([...drawn])("%s says in words what it shows, and needs nothing else", (_, svg) => {
  const root = parse(svg);
  expect(root.querySelector("title")!.textContent.length).toBeGreaterThan(10);
  expect(root.querySelector("desc")!.textContent.length).toBeGreaterThan(40);
  expect(root.querySelectorAll("text").length).toBeGreaterThan(3);
  expect(svg).not.toMatch(/href|url\(|<image|<style|NaN|undefined|Infinity/);
});

test("the picture of cuts shows the ranks that it explains", () => {
  const words = parse(drawn.get("cuts")!)
    .querySelectorAll("text")
    .map(({ textContent }) => textContent);
  expect(words).toContain("1 edge between them: rank 3 of at most 16");
  expect(words).toContain("4 edges between them: rank 16 of at most 16");
});
