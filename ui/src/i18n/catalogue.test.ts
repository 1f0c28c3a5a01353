import { describe, expect, it } from "vitest";

import { resources } from ".";

type Catalogue = Record<string, unknown>;

const NAMESPACES = Object.keys(resources.en) as (keyof typeof resources.en)[];
const PLURAL = /_(zero|one|two|few|many|other)$/;

/** Every text of a catalogue with its path. */
function texts(catalogue: Catalogue, path = ""): [string, unknown][] {
  return Object.entries(catalogue).flatMap(([name, value]) =>
    typeof value === "object" && value !== null
      ? texts(value as Catalogue, `${path}${name}.`)
      : [[path + name, value] as [string, unknown]],
  );
}

/** The keys by which the code asks: without the suffix of a plural. */
function asked(catalogue: Catalogue): string[] {
  return [...new Set(texts(catalogue).map(([path]) => path.replace(PLURAL, "")))].sort();
}

/** What a text takes in, in the order of the names. */
function placeholders(text: unknown): string[] {
  return [...new Set(String(text).match(/\{\{\w+\}\}/g) ?? [])].sort();
}

describe.each(NAMESPACES)("the catalogue %s", (namespace) => {
  const { en, zh } = { en: resources.en[namespace] as Catalogue, zh: resources.zh[namespace] as Catalogue };

  it("has the same keys in both languages", () => {
    expect(asked(zh)).toEqual(asked(en));
  });

  it("has the plurals that each language needs", () => {
    const english = new Set(texts(en).map(([path]) => path));
    const ones = [...english].filter((path) => path.endsWith("_one")).map((path) => path.replace(PLURAL, "_other"));
    expect(ones.filter((path) => !english.has(path))).toEqual([]);
    const chinese = texts(zh).map(([path]) => path);
    expect(chinese.filter((path) => PLURAL.test(path) && !path.endsWith("_other"))).toEqual([]);
  });

  it.each(["en", "zh"] as const)("says something everywhere in %s", (language) => {
    const empty = texts(resources[language][namespace]).filter(
      ([, value]) => typeof value !== "string" || value.trim() === "",
    );
    expect(empty).toEqual([]);
  });

  it("takes the same values in both languages", () => {
    const english = new Map(texts(en).map(([path, text]) => [path, placeholders(text)]));
    const different = texts(zh).filter(
      ([path, text]) => english.has(path) && placeholders(text).join() !== english.get(path)?.join(),
    );
    expect(different.map(([path]) => path)).toEqual([]);
  });
});
