import { z } from "zod";

/** What a command line needs to know about one flag; everything comes from its zod schema. */
export interface FlagInfo {
  /** snake_case, as in the schema. */
  readonly name: string;
  readonly type: "string" | "number" | "integer" | "boolean";
  /** Takes several values (`--widths 512 512`). */
  readonly repeatable: boolean;
  /** Each occurrence of the flag is one value, however many words it has (`.meta({ grouped: true })`). */
  readonly grouped: boolean;
  readonly required: boolean;
  /** `undefined` if the flag has none. */
  readonly default: unknown;
  readonly description: string;
  readonly choices?: readonly string[];
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly grouped?: unknown;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/**
 * The flags of a zod object, in its order. Each field is a string, number, integer, boolean, enum, or an
 * array of these; optional, nullable, defaulted and described as usual.
 */
export function listFlags(schema: z.ZodObject): readonly FlagInfo[] {
  const known = listed.get(schema);
  if (known !== undefined) return known;
  const flags = readFlags(schema);
  listed.set(schema, flags);
  return flags;
}

/** A sweep parses the flags of hundreds of runs, and making a JSON schema takes milliseconds. */
const listed = new WeakMap<z.ZodObject, readonly FlagInfo[]>();

function readFlags(schema: z.ZodObject): readonly FlagInfo[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
  }) as {
    properties?: Record<string, JsonSchema>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, field]) =>
    flagInfo(name, field, required.includes(name)),
  );
}

function flagInfo(name: string, field: JsonSchema, required: boolean): FlagInfo {
  const value = notNull(field);
  const repeatable = typeOf(value) === "array";
  const item = repeatable ? notNull(value.items ?? {}) : value;
  const choices = item.enum?.filter((choice) => typeof choice === "string");
  return {
    name,
    type: scalarType(name, item),
    repeatable,
    grouped: field.grouped === true,
    required,
    default: field.default,
    description: field.description ?? "",
    ...(choices === undefined ? {} : { choices }),
  };
}

function notNull(schema: JsonSchema): JsonSchema {
  return schema.anyOf?.find((option) => option.type !== "null") ?? schema;
}

function typeOf(schema: JsonSchema): string | undefined {
  return typeof schema.type === "string"
    ? schema.type
    : schema.type?.find((type) => type !== "null");
}

function scalarType(name: string, schema: JsonSchema): FlagInfo["type"] {
  const type = typeOf(schema) ?? "string";
  if (type === "string" || type === "number" || type === "integer" || type === "boolean")
    return type;
  throw new TypeError(`flag ${name}: a ${type} cannot be given on a command line`);
}
