// Draws the pictures of theory.md anew: node pictures/draw-pictures.ts
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawPictures } from "./pictures.ts";

for (const [name, svg] of await drawPictures())
  writeFileSync(join(import.meta.dirname, `${name}.svg`), svg);
