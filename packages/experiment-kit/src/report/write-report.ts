import { extname, resolve } from "node:path";
import { deflateRawSync } from "node:zlib";
import { isFileExistsError, writeFileAtomic } from "@implicit-rank/array-files";
import { isUserError, MisuseError, RunError } from "../errors.ts";
import { showRun } from "../run-folder/list-runs.ts";
import { readMetrics } from "../run-folder/metrics-reader.ts";
import { encodeCurves } from "./curve-codec.ts";
import { curvesOf, describeDamagedRun, describeRun } from "./describe-run.ts";
import { findRunFolders } from "./find-run-folders.ts";
import { pageHtml, readPageAssets } from "./page-html.ts";
import type { Curve, ReportContent, ReportRun } from "./report-data.ts";
import { thinCurve } from "./thin-curve.ts";

/** What a report is made of, and where it goes. */
export interface ReportOptions {
  /** Run folders, or folders with runs below them. */
  readonly paths: readonly string[];
  /** The HTML file to write. */
  readonly output: string;
  /** Replace the file if it is there. */
  readonly overwrite?: boolean;
}

/** A report that was written. */
export interface WrittenReport {
  readonly path: string;
  readonly bytes: number;
  /** The folders of the runs in it. */
  readonly runs: readonly string[];
  /** One line for each damaged run. */
  readonly problems: readonly string[];
}

/** All curves of a report together have at most about this many points, so that it stays small. */
const MOST_POINTS = 400_000;
const LONGEST_CURVE = 2000;
const SHORTEST_CURVE = 100;

/** How many points a curve may have if there are `curves` of them. */
export function curveLimit(curves: number): number {
  const share = Math.floor(MOST_POINTS / Math.max(1, curves));
  return Math.min(LONGEST_CURVE, Math.max(SHORTEST_CURVE, share));
}

/**
 * Writes one self-contained HTML file (it uses no network) that shows runs: their metrics as interactive
 * charts, their settings and where they differ, and their final values. A damaged run is shown as such.
 *
 * @throws MisuseError if a path holds no run or the file exists; RunError if all runs are damaged or the
 *   file cannot be written.
 */
export async function writeReport(options: ReportOptions): Promise<WrittenReport> {
  const { paths, output, overwrite = false } = options;
  checkOutput(output);
  const folders = await runFoldersOf(paths);
  const read: ReadRun[] = [];
  for (const folder of folders) read.push(await readRun(folder, String(read.length)));
  const problems = read.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  if (problems.length === read.length) throw new RunError(problems[0]!);
  const limit = curveLimit(read.reduce((sum, { curves }) => sum + curves.length, 0));
  const curves = read.map((run) =>
    encodeCurves(run.curves.map((curve) => thinCurve(curve, limit))),
  );
  const runs = read.map(({ run }) => run);
  const content: ReportContent = {
    title: titleOf(runs),
    written: new Date().toISOString(),
    runs,
    curveBytes: curves.map((bytes) => bytes.length),
  };
  const html = pageHtml(await readPageAssets(), {
    title: `${content.title} · implicit-rank`,
    data: packContent(content, curves),
    mode: "report",
  });
  await writeFileAtomic(output, html, { overwrite }).catch((error: unknown) => {
    if (!isFileExistsError(error)) throw error;
    throw new MisuseError(
      `--output: ${output} exists; choose another name or replace it with --force`,
      { cause: error },
    );
  });
  return { path: output, bytes: Buffer.byteLength(html), runs: folders, problems };
}

/** Deflated and in base64: the length of the JSON text, the JSON text, the curves of every run. */
export function packContent(content: ReportContent, curves: readonly Uint8Array[]): string {
  const json = Buffer.from(JSON.stringify(content));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return deflateRawSync(Buffer.concat([length, json, ...curves]), { level: 9 }).toString("base64");
}

function checkOutput(output: string): void {
  const extension = extname(output).toLowerCase();
  if (extension !== ".html" && extension !== ".htm")
    throw new MisuseError(`--output: ${output}: a report is HTML; give a name that ends in .html`);
}

async function runFoldersOf(paths: readonly string[]): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const path of paths) {
    const found = await findRunFolders(path);
    if (found.length === 0)
      throw new MisuseError(
        `${path}: holds no run (no config.json in it or below); give the folder that training printed`,
      );
    folders.push(...found.filter((folder) => !folders.some((other) => isSame(folder, other))));
  }
  return folders;
}

function isSame(a: string, b: string): boolean {
  return resolve(a) === resolve(b);
}

interface ReadRun {
  readonly run: ReportRun;
  readonly curves: readonly Curve[];
  readonly problem?: string;
}

async function readRun(folder: string, key: string): Promise<ReadRun> {
  try {
    const [info, history] = await Promise.all([showRun(folder), readMetrics(folder)]);
    const run = describeRun(key, info, history);
    return { run, curves: curvesOf(run.metrics, history, LONGEST_CURVE) };
  } catch (error) {
    if (!isUserError(error)) throw error;
    const { message: problem } = error;
    return { run: describeDamagedRun(key, folder, problem), curves: [], problem };
  }
}

function titleOf(runs: readonly ReportRun[]): string {
  const [first] = runs;
  if (first !== undefined && runs.length === 1) return first.name;
  const kinds = new Set(runs.map(({ experiment }) => experiment).filter((kind) => kind !== ""));
  return `${runs.length} runs of ${[...kinds].join(", ")}`;
}
