import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@implicit-rank/array-files";
import { readRunConfig } from "../run-folder/config-file.ts";
import { runPaths } from "../run-folder/files.ts";
import { createMetricsReader } from "../run-folder/metrics-reader.ts";
import { drawFigure } from "./draw-figure.ts";
import { metricPanels, plotFileNames } from "./metric-panels.ts";
import { svgToPng } from "./svg-to-png.ts";

/** Redraws the plots of a run; keeps what it has read, so that every call reads only what is new. */
export interface RunPlotter {
  /** Draws `plots/<tag>.svg` and `.png` for every tag; gives the paths without ending. */
  draw(): Promise<readonly string[]>;
}

/** A plotter for the run folder. */
export function createRunPlotter(folder: string): RunPlotter {
  const reader = createMetricsReader(folder);
  const target = runPaths(folder).plots;
  return {
    async draw() {
      const { run } = await readRunConfig(folder);
      const panels = metricPanels(run.metrics, await reader.read());
      if (panels.length > 0) await mkdir(target, { recursive: true });
      const names = plotFileNames(panels.map(({ title }) => title));
      const drawn: string[] = [];
      for (const [i, panel] of panels.entries()) {
        const path = join(target, names[i]!);
        const svg = drawFigure(panel);
        await writeFileAtomic(`${path}.svg`, `${svg}\n`, { overwrite: true });
        await writeFileAtomic(`${path}.png`, svgToPng(svg), { overwrite: true });
        drawn.push(path);
      }
      return drawn;
    },
  };
}

/**
 * Draws every tagged group of metrics of a run as SVG and PNG into its `plots/` folder.
 *
 * @returns the paths of the plots without their ending.
 */
export function drawRunPlots(folder: string): Promise<readonly string[]> {
  return createRunPlotter(folder).draw();
}
