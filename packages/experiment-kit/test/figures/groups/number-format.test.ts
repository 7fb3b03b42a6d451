import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NumberFormatError, parseNumberFormat } from "../../../src/figures/groups/number-format.ts";

interface Fixture {
  readonly values: readonly number[];
  readonly formatted: Readonly<Record<string, readonly string[]>>;
}
const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, "python-formats.json"), "utf8"),
) as Fixture;

describe("formats of numbers", () => {
  it.each(Object.entries(fixture.formatted))("%s is as in Python", (format, expected) => {
    const write = parseNumberFormat(format);
    const written = fixture.values.map((value) => write(value, 3).replaceAll("−", "-"));
    expect(written).toEqual(expected);
  });

  it("have the minus sign of typography", () => {
    expect(parseNumberFormat("{:.1f}")(-2.5, 0)).toBe("−2.5");
  });

  it.each([
    ["abc", "has no place for the number"],
    ["100%%", "has no place for the number"],
    ["{", "has a brace that opens no field"],
    ["{:.1f", "has a brace that opens no field"],
    ["{y:.1f}", "has the field {y}; the number is {} or {x}"],
    ["{:.1q}", "has the field {:.1q}, which is no format of a number"],
    ["{!r}", "has a brace that opens no field"],
    ["%s", "has %s, which is no format of a number"],
    ["50%", "has %, which is no format of a number"],
  ])("%s is refused", (format, problem) => {
    expect(() => parseNumberFormat(format)).toThrow(problem);
  });

  it("are refused in one way only, whatever is typed", () => {
    const pieces = fc.constantFrom("{", "}", ":", ".", "%", "x", "f", "2", "0", "-", "e", " ", "é");
    fc.assert(
      fc.property(fc.array(pieces), fc.double(), (parts, value) => {
        try {
          expect(typeof parseNumberFormat(parts.join(""))(value, 0)).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(NumberFormatError);
        }
      }),
    );
  });
});
