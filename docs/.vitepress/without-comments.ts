import type { MarkdownRenderer } from "vitepress";

const comment = /^\s*<!--[^]*?-->\s*$/;

/** Comments in documents are notes for the tests that run their code; the site has no need of them. */
export function withoutComments(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("without-comments", (state) => {
    state.tokens = state.tokens.filter(
      ({ type, content }) => type !== "html_block" || !comment.test(content),
    );
  });
}
