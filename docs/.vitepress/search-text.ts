import type { DefaultTheme, MarkdownEnv, MarkdownRenderer } from "vitepress";

type PlainEnv = MarkdownEnv & { plain?: boolean };

const dressed = ["fence", "math_inline", "math_block"] as const;

/** Lets pages be rendered for the index of the search: code without colors, formulas as they are written. */
export function plainForSearch(markdown: MarkdownRenderer): void {
  const { rules } = markdown.renderer;
  for (const name of dressed) {
    const dress = rules[name]!;
    rules[name] = (tokens, index, options, env: PlainEnv, self) =>
      env.plain === true
        ? markdown.utils.escapeHtml(tokens[index]!.content)
        : dress(tokens, index, options, env, self);
  }
}

/** Renders a page for the index of the search. */
export const searchText: NonNullable<DefaultTheme.LocalSearchOptions["_render"]> = (
  source,
  env,
  markdown,
) => markdown.render(source, Object.assign(env, { plain: true }));
