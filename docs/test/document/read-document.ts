import { readFile } from "node:fs/promises";
import MarkdownIt, { type Token } from "markdown-it";
import { type Markers, readMarkers } from "./markers.ts";

/** A fenced block of a page. */
export interface Block {
  /** `docs/runs.md:31`, the line of its fence */
  readonly place: string;
  readonly language: string;
  readonly code: string;
  readonly markers: Markers;
}

export interface Document {
  readonly blocks: readonly Block[];
  /** Texts between single backticks. */
  readonly inlineCode: readonly { readonly place: string; readonly text: string }[];
}

const markdown = new MarkdownIt({ html: true });

/**
 * Reads a page of Markdown.
 *
 * @param path the file
 * @param name how it is called in messages
 */
export async function readDocument(path: string, name: string): Promise<Document> {
  return parseDocument(await readFile(path, "utf8"), name);
}

export function parseDocument(text: string, name: string): Document {
  const blocks: Block[] = [];
  const inlineCode: Document["inlineCode"][number][] = [];
  let comments: string[] = [];
  const tokens = markdown.parse(text, {});
  for (const token of tokens) {
    const place = `${name}:${(token.map?.[0] ?? 0) + 1}`;
    if (token.type === "fence") {
      blocks.push(blockOf(token, place, comments));
    } else if (token.type === "html_block") {
      comments.push(...(token.content.match(/<!--[^]*?-->/g) ?? []));
      continue;
    } else if (token.type === "code_block") {
      throw new Error(`${place}: an indented block of code; give it a fence and a language`);
    }
    for (const child of token.children ?? []) {
      if (child.type === "code_inline") inlineCode.push({ place, text: child.content });
    }
    comments = [];
  }
  return { blocks, inlineCode };
}

function blockOf(token: Token, place: string, comments: readonly string[]): Block {
  const language = token.info.trim();
  try {
    return { place, language, code: token.content, markers: readMarkers(comments) };
  } catch (error) {
    throw new Error(`${place}: ${(error as Error).message}`, { cause: error });
  }
}
