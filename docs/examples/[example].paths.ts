import { exampleText, listExamples } from "../.vitepress/examples.ts";

export default {
  watch: ["../../examples/**/*"],
  paths: () =>
    listExamples().map((example) => ({
      params: { example: example.name },
      content: exampleText(example),
    })),
};
