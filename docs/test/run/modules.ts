import type { Block } from "../document/read-document.ts";
import { shortenedCode } from "./shortened-code.ts";

/** The name of the file that a block of TypeScript or JavaScript is saved as. */
export function moduleName({ place, language, markers }: Block): string {
  if (markers.file !== undefined) return markers.file;
  return `${place.replaceAll(/[^\w]+/g, "_")}.m${language}`;
}

/** A block with what its markers put before it. */
export function moduleText(block: Block, page: readonly Block[]): string {
  const { namesOf } = block.markers;
  if (namesOf !== undefined)
    return `export type { ${declaredNames(block.code).join(", ")} } from "${namesOf}";`;
  return [...earlier(block, page), ...withBefore(block)].join("\n");
}

/** The blocks that a block continues. */
export function earlier(block: Block, page: readonly Block[]): readonly string[] {
  if (!block.markers.continues) return [];
  return page
    .slice(0, page.indexOf(block))
    .filter(({ language, markers }) => language === block.language && markers.file === undefined)
    .filter(({ markers }) => markers.notRun === undefined)
    .flatMap(withBefore);
}

/** What a block of declarations declares. */
function declaredNames(code: string): readonly string[] {
  const declared = code.matchAll(/^(?:interface|type|class|function|const) (\w+(?:, \w+)*)/gm);
  return [...new Set([...declared].flatMap(([, names]) => names!.split(", ")))];
}

function withBefore(block: Block): readonly string[] {
  const { before } = block.markers;
  return [...(before === undefined ? [] : [before]), shortenedCode(block)];
}
