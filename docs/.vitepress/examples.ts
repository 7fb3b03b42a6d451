import { existsSync, globSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { pageOf, repository, siteLink } from "./site-paths.ts";

/** An example: a program, or a folder of files that belong together. */
export interface Example {
  /** Of the page, without `examples/` and `.md`. */
  readonly name: string;
  readonly title: string;
  /** Relative to the root of the repository. */
  readonly files: readonly string[];
}

const excluded = [
  "examples/test/**",
  "examples/**/node_modules/**",
  "examples/{test-results,dist}/**",
  "examples/**/*.config.*",
];

/** The examples of the repository in the order of their names. */
export function listExamples(): readonly Example[] {
  const files = globSync("examples/**/*.{ts,js,py,html,css}", {
    cwd: repository,
    exclude: excluded,
  });
  const pages = Map.groupBy(files.toSorted(), (file) => pageOf(file)!);
  return [...pages].map(([page, ofPage]) => {
    const name = page.replace(/^examples\/(.*)\.md$/, "$1");
    return { name, title: titleOf(name), files: ofPage };
  });
}

/** `own-cnn` is "Own CNN". */
function titleOf(name: string): string {
  const words = name
    .replaceAll("-", " ")
    .replace(/\b(cnn|cp|mnist)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The files of an example as Markdown, after the README of their folder. */
export function exampleText({ name, title, files }: Example): string {
  const readme = `examples/${name}/README.md`;
  const introduction = existsSync(join(repository, readme)) ? introductionOf(readme) : `# ${title}`;
  const sections = files.map((file) => {
    const code = readFileSync(join(repository, file), "utf8").trim();
    return `\`${file}\`\n\n\`\`\`\`${extname(file).slice(1)}\n${code}\n\`\`\`\``;
  });
  return [introduction, ...sections].join("\n\n");
}

function introductionOf(readme: string): string {
  return readFileSync(join(repository, readme), "utf8").replace(
    /\]\((?![a-z]+:|[/#])([^)\s]+)\)/g,
    (_, href: string) => `](${siteLink(href, readme)})`,
  );
}
