import { writeFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";
import { D3Node } from "d3-node";

export interface LogCurve {
  readonly label: string;
  /** Curves of one group share a panel, whose horizontal axis it names. */
  readonly group: string;
  readonly points: readonly (readonly [number, number])[];
}

const panel = { width: 250, height: 220, left: 58, top: 16, right: 16, bottom: 100 };
/** Okabe and Ito's palette, distinguishable with every kind of color vision. */
const colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"];

/** Writes PATH.svg and PATH.png: one log-log panel a group, the legend below the axes. */
export async function drawLogPlot(
  path: string,
  curves: readonly LogCurve[],
  yLabel: string,
): Promise<void> {
  const groups = [...new Set(curves.map(({ group }) => group))];
  const node = new D3Node();
  const { d3 } = node;
  const full = panel.left + panel.width + panel.right;
  const [width, height] = [groups.length * full, panel.top + panel.height + panel.bottom];
  const svg = node.createSVG(width, height, {
    viewBox: `0 0 ${width} ${height}`,
    "font-family": "sans-serif",
    "font-size": 11,
  });
  svg.append("rect").attr("width", width).attr("height", height).attr("fill", "white");
  groups.forEach((group, g) => {
    const members = curves.filter((curve) => curve.group === group);
    const sizes = members.flatMap(({ points }) => points.map(([size]) => size));
    const times = members.flatMap(({ points }) => points.map(([, time]) => time));
    const x = d3.scaleLog(d3.extent(sizes) as [number, number], [0, panel.width]);
    const y = d3.scaleLog(d3.extent(times) as [number, number], [panel.height, 0]).nice();
    const frame = svg
      .append("g")
      .attr("transform", `translate(${g * full + panel.left},${panel.top})`);
    const ticks = spacedTicks(sizes, x);
    frame
      .append("g")
      .attr("transform", `translate(0,${panel.height})`)
      .call(d3.axisBottom(x).tickValues(ticks).tickFormat(d3.format("d")));
    frame.append("g").call(d3.axisLeft(y).ticks(4, "~g"));
    frame
      .append("text")
      .attr("x", panel.width / 2)
      .attr("y", panel.height + 34)
      .attr("text-anchor", "middle")
      .text(group);
    if (g === 0)
      frame
        .append("text")
        .attr("transform", `translate(-42,${panel.height / 2}) rotate(-90)`)
        .attr("text-anchor", "middle")
        .text(yLabel);
    members.forEach(({ label, points }, c) => {
      frame
        .append("path")
        .attr("fill", "none")
        .attr("stroke", colors[c])
        .attr("stroke-width", 1.8)
        .attr(
          "d",
          d3.line<readonly [number, number]>(
            ([size]) => x(size),
            ([, time]) => y(time),
          )(points),
        );
      for (const [size, time] of points)
        frame
          .append("circle")
          .attr("cx", x(size))
          .attr("cy", y(time))
          .attr("r", 2.6)
          .attr("fill", colors[c]);
      frame
        .append("text")
        .attr("x", -panel.left + 8)
        .attr("y", panel.height + 54 + 15 * c)
        .attr("font-size", 10)
        .attr("fill", colors[c])
        .text(label);
    });
  });
  const source = node.svgString();
  writeFileSync(`${path}.svg`, source);
  writeFileSync(
    `${path}.png`,
    new Resvg(source, { fitTo: { mode: "zoom", value: 2 } }).render().asPng(),
  );
}

/** The sizes that were measured, but those whose labels would touch the one before. */
function spacedTicks(sizes: readonly number[], x: (size: number) => number): number[] {
  const ticks: number[] = [];
  for (const size of [...new Set(sizes)].sort((a, b) => a - b))
    if (ticks.length === 0 || x(size) - x(ticks.at(-1)!) > 24) ticks.push(size);
  return ticks;
}
