/** The short name of the seed. */
export const seedAlias: Readonly<Record<string, string>> = { seed: "random_seed" };
