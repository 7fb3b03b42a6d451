import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { publicEntries } from "../reference/public-entries.ts";
import { listExamples } from "./examples.ts";
import { pageOf, repository } from "./site-paths.ts";

interface Link {
  readonly text: string;
  readonly link: string;
}

interface Section {
  readonly text: string;
  readonly items: Link[];
}

/** Documents in an order that helps a reader; those that no list names come last, under "Project". */
const start = ["quick-start", "theory", "coming-from-pytorch"];
const guides = ["maths", "runs", "figures", "report", "sweeps", "locality-bias", "engines"];
const reference = ["data-files", "contracts"];
const project = ["packages", "testing", "reliability", "publishing", "licenses"];

/** The bar at the top. */
export function topBar(): (Link | Section)[] {
  return [
    ...documents("{quick-start,theory}"),
    { text: "How to", items: documents("commands/*") },
    { text: "Guides", items: ordered(guides) },
    { text: "API", link: "/api/index.html" },
    { text: "Performance", link: "/results/benchmarks.html" },
  ];
}

/** Every page of the site: the packages and the decisions, being many, have bars of their own. */
export function sidebars(): Record<string, Section[]> {
  const named = [...start, ...guides, ...reference, ...project];
  const others = documents("*").filter(({ link }) => !named.includes(nameOf(link)));
  const decisions = documents("decisions/*");
  const main = [
    { text: "Start", items: ordered(start) },
    { text: "How to", items: documents("commands/*") },
    { text: "Guides", items: ordered(guides) },
    { text: "Examples", items: [...pages("examples/README.md"), ...examples()] },
    { text: "Results", items: documents("results/*") },
    { text: "Reference", items: [...ordered(reference), apiOverview] },
    {
      text: "Project",
      items: [
        ...ordered(project),
        ...others,
        ...pages("CHANGELOG.md"),
        { text: "Decisions", link: decisions[0]!.link },
      ],
    },
  ];
  const packages = [
    { text: "API", items: api() },
    { text: "Packages", items: pages("packages/*/README.md") },
  ];
  return {
    "/": main,
    "/api/": packages,
    "/packages/": packages,
    "/decisions/": [{ text: "Decisions", items: decisions }],
  };
}

function ordered(names: readonly string[]): Link[] {
  return names.flatMap((name) => documents(name));
}

function documents(pattern: string): Link[] {
  return pages(`docs/${pattern}.md`);
}

/** The pages of the files that there are, by the headings they begin with. */
function pages(pattern: string): Link[] {
  return globSync(pattern, { cwd: repository, exclude: ["docs/index.md"] })
    .toSorted()
    .map((file) => ({
      text: headingOf(file),
      link: `/${pageOf(file)!.replace(/\.md$/, ".html")}`,
    }));
}

function headingOf(file: string): string {
  const heading = /^# (.*)$/m.exec(readFileSync(join(repository, file), "utf8"))?.[1];
  if (heading === undefined) throw new Error(`${file}: has no heading "# …"`);
  return heading.replaceAll("`", "");
}

function nameOf(link: string): string {
  return link.replace(/^\/(.*)\.html$/, "$1");
}

function examples(): Link[] {
  return listExamples().map(({ name, title }) => ({ text: title, link: `/examples/${name}.html` }));
}

const apiOverview = { text: "API reference", link: "/api/index.html" };

function api(): Link[] {
  return [
    apiOverview,
    ...publicEntries().map(({ name }) => ({ text: name, link: `/api/${name}.html` })),
  ];
}
