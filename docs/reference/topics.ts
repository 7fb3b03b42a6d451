import { relative } from "node:path";
import type { DeclarationReflection, ProjectReflection } from "typedoc";
import { ReflectionCategory, ReflectionKind } from "typedoc";

/** What one calls comes before what it takes. */
const order = [
  ReflectionKind.Function,
  ReflectionKind.Variable,
  ReflectionKind.Class,
  ReflectionKind.Interface,
  ReflectionKind.TypeAlias,
];

/**
 * Sorts what a module exports by the folder of its source file below `sourceFolder`, as its authors
 * sorted it, rather than by whether it is a function or an interface.
 */
export function sortIntoTopics(
  project: ProjectReflection,
  module: DeclarationReflection,
  sourceFolder: string,
): void {
  const topics = Map.groupBy(module.children ?? [], (child) =>
    topicOf(relative(sourceFolder, sourceFileOf(project, child))),
  );
  if (topics.size < 2) return;
  const errorsLast = [...topics].toSorted(([a], [b]) => Number(isErrors(a)) - Number(isErrors(b)));
  module.categories = errorsLast.map(([title, children]) => {
    const category = new ReflectionCategory(title);
    category.children = children.toSorted(byKindAndName);
    return category;
  });
}

/** The source file that declares a reflection. */
export function sourceFileOf(
  project: ProjectReflection,
  reflection: DeclarationReflection,
): string {
  const file = project.getSymbolIdFromReflection(reflection)?.fileName;
  if (file === undefined)
    throw new Error(`${reflection.getFullName()}: its source file is not known`);
  return file;
}

/** `mode-tree/pool-pattern.ts` is of "Mode tree". */
function topicOf(path: string): string {
  const first = path.split("/")[0]!.replace(/\.ts$/, "").replaceAll("-", " ");
  return first.charAt(0).toUpperCase() + first.slice(1);
}

function isErrors(topic: string): boolean {
  return /^errors?$/i.test(topic);
}

function byKindAndName(a: DeclarationReflection, b: DeclarationReflection): number {
  return order.indexOf(a.kind) - order.indexOf(b.kind) || a.name.localeCompare(b.name);
}
