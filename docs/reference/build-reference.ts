// Writes api/: a page for each thing that can be imported. Any warning of TypeDoc is a failure.
import { dirname, join, resolve } from "node:path";
import { Application, ReflectionKind } from "typedoc";
import type { DeclarationReflection, ProjectReflection } from "typedoc";
import { publicEntries } from "./public-entries.ts";
import { sortIntoTopics, sourceFileOf } from "./topics.ts";

const docs = resolve(import.meta.dirname, "..");
const entries = publicEntries();
const packageNames = [...new Set(entries.map(({ packageName }) => packageName))];

const app = await Application.bootstrapWithPlugins({
  options: join(docs, "typedoc.json"),
  entryPoints: entries.map(({ source }) => source),
  packagesRequiringDocumentation: packageNames,
  compilerOptions: {
    paths: Object.fromEntries(entries.map(({ specifier, source }) => [specifier, [source]])),
  },
});
const project = await app.convert();
if (project === undefined) process.exit(1);

for (const reflection of project.getReflectionsByKind(ReflectionKind.Module)) {
  const module = reflection as DeclarationReflection;
  const file = sourceFileOf(project, module);
  const entry = entries.find(({ source }) => source === file);
  if (entry === undefined) throw new Error(`${file} is not what a package exports`);
  module.name = entry.specifier;
  sortIntoTopics(project, module, dirname(entry.source));
}
app.validate(project);
validateExports(project);
await app.generateOutputs(project);

/** TypeDoc looks for types that are used but not exported in one package only, the project's own. */
function validateExports(project: ProjectReflection): void {
  app.options.setValue("validation", { notExported: true });
  for (const packageName of packageNames) {
    project.packageName = packageName;
    app.validate(project);
  }
}

const { errorCount, warningCount, validationWarningCount } = app.logger;
if (errorCount + warningCount + validationWarningCount > 0) process.exitCode = 1;
