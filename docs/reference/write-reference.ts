import { dirname, join, resolve } from "node:path";
import { Application, ReflectionKind } from "typedoc";
import type { DeclarationReflection, ProjectReflection } from "typedoc";
import type { PublicEntry } from "./public-entries.ts";
import { sortIntoTopics, sourceFileOf } from "./topics.ts";

const docs = resolve(import.meta.dirname, "..");

/**
 * Writes a page into `out` for each thing that can be imported.
 *
 * @returns how much TypeDoc had to complain about, which it printed: what has no docstring, links that
 * lead nowhere, types that are used but not exported.
 */
export async function writeReference(
  entries: readonly PublicEntry[],
  out: string,
  tsconfig = join(docs, "tsconfig.reference.json"),
): Promise<number> {
  const packages = [...new Set(entries.map(({ packageName }) => packageName))];
  const app = await Application.bootstrapWithPlugins({
    options: join(docs, "typedoc.json"),
    out,
    tsconfig,
    entryPoints: entries.map(({ source }) => source),
    packagesRequiringDocumentation: packages,
    compilerOptions: {
      paths: Object.fromEntries(entries.map(({ specifier, source }) => [specifier, [source]])),
    },
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc could not read the sources");
  nameModules(project, entries);
  validate(app, project, packages);
  await app.generateOutputs(project);

  return app.logger.errorCount + app.logger.warningCount;
}

/** A module is called as it is imported. */
function nameModules(project: ProjectReflection, entries: readonly PublicEntry[]): void {
  for (const reflection of project.getReflectionsByKind(ReflectionKind.Module)) {
    const module = reflection as DeclarationReflection;
    const file = sourceFileOf(project, module);
    const entry = entries.find(({ source }) => source === file);
    if (entry === undefined) throw new Error(`${file} is not what a package exports`);
    module.name = entry.specifier;
    sortIntoTopics(project, module, dirname(entry.source));
  }
}

/** TypeDoc looks for types that are used but not exported in one package only, the project's own. */
function validate(app: Application, project: ProjectReflection, packages: readonly string[]): void {
  app.validate(project);
  const exportsOnly = Object.keys(app.options.getValue("validation")).map((check) => [
    check,
    check === "notExported",
  ]);
  app.options.setValue("validation", Object.fromEntries(exportsOnly));
  for (const name of packages) {
    project.packageName = name;
    app.validate(project);
  }
}
