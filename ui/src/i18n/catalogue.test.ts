import { describe, expect, it } from "vitest";

import { catalogueOf, NAMESPACES, resources } from ".";

type Catalogue = Record<string, unknown>;

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
  return [...new Set(String(text).match(/\{\{\w+\}\}|<\w+\/>/g) ?? [])].sort();
}

/** One catalogue of a language. */
function catalogue(language: string, namespace: string): Catalogue {
  return resources[language]?.[namespace] ?? {};
}

const LANGUAGES = Object.keys(resources);
const OTHERS = LANGUAGES.filter((language) => language !== "en");

it("has a file for each namespace in each language", () => {
  expect(LANGUAGES).toContain("en");
  for (const language of LANGUAGES) {
    expect(Object.keys(resources[language] ?? {}).sort()).toEqual([...NAMESPACES].sort());
  }
});

it.each([
  ["zh-CN", "zh-CN"],
  ["zh", "zh-CN"],
  ["zh_SG", "zh-CN"],
  ["zh-TW", "en"],
  ["zh-HK", "en"],
  ["zh-Hant", "en"],
  ["en-GB", "en"],
  ["sv", "en"],
  ["", "en"],
  ["not a language", "en"],
])("for Airflow's %s takes %s", (asked, taken) => {
  expect(catalogueOf(asked)).toBe(taken);
});

it.each([
  ["pt-BR", "pt"],
  ["zh-TW", "zh-Hant"],
  ["sr-Latn", "en"],
])("for Airflow's %s would take %s", (asked, taken) => {
  expect(catalogueOf(asked, ["en", "zh-CN", "pt", "sr", "zh-Hant"])).toBe(taken);
});

describe.each(OTHERS)("the language %s", (language) => {
  describe.each(NAMESPACES)("in the catalogue %s", (namespace) => {
    const [english, other] = [catalogue("en", namespace), catalogue(language, namespace)];

    it("has the same keys as English", () => {
      expect(asked(other)).toEqual(asked(english));
    });

    it("has the plurals that it needs", () => {
      const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      const found = new Set(texts(other).map(([path]) => path));
      const counted = new Set([...found].filter((path) => PLURAL.test(path)).map((path) => path.replace(PLURAL, "")));
      const wanted = [...counted].flatMap((path) => categories.map((category) => `${path}_${category}`));
      expect(wanted.filter((path) => !found.has(path))).toEqual([]);
      expect([...found].filter((path) => PLURAL.test(path) && !wanted.includes(path))).toEqual([]);
    });

    it("takes the same values as English", () => {
      const values = new Map(texts(english).map(([path, text]) => [path, placeholders(text)]));
      const different = texts(other).filter(
        ([path, text]) => values.has(path) && placeholders(text).join() !== values.get(path)?.join(),
      );
      expect(different.map(([path]) => path)).toEqual([]);
    });
  });
});

describe.each(LANGUAGES)("in %s", (language) => {
  it.each(NAMESPACES)("the catalogue %s says something everywhere", (namespace) => {
    const empty = texts(catalogue(language, namespace)).filter(
      ([, value]) => typeof value !== "string" || value.trim() === "",
    );
    expect(empty).toEqual([]);
  });
});

it.each(NAMESPACES)("the English catalogue %s has both plurals", (namespace) => {
  const english = new Set(texts(catalogue("en", namespace)).map(([path]) => path));
  const ones = [...english].filter((path) => path.endsWith("_one")).map((path) => path.replace(PLURAL, "_other"));
  expect(ones.filter((path) => !english.has(path))).toEqual([]);
});

const SOURCES = import.meta.glob<string>(["../**/*.{ts,tsx}", "!../**/*.test.*", "!../api/schema.d.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Keys that stand in a source text; `*` is a part that is worked out. */
function keysIn(text: string): string[] {
  const literals = text.matchAll(/"([\w:.]+)"|`([\w:.]*(?:\$\{[^}`]*\}[\w:.]*)*)`/g);
  return Array.from(literals, ([, plain, template]) => (plain ?? template ?? "").replace(/\$\{[^}]*\}/g, "*"));
}

/** What the code asks the catalogue for. */
function uses(sources: readonly string[]): RegExp[] {
  const all = sources.join("\n");
  const words = Array.from(all.matchAll(/\bword\(\s*("\w+"|`[^`]*`)/g), ([, group]) => keysIn(group ?? ""));
  const called = Array.from(all.matchAll(/\bt\(((?:[^()]|\([^()]*\))*)\)/g), ([, call]) => keysIn(call ?? ""));
  // Elsewhere a key is known by its point. One without a namespace may be the last part of another.
  const dotted = keysIn(all).filter((key) => /[\w*]\.[\w*]/.test(key) && /\w/.test(key));
  const part = dotted.filter((key) => !key.includes(":")).map((key) => escaped(key, "\\w+"));
  const hole = `(?:\\w+|${part.join("|")})`;
  const keys = [...words.flat().map((group) => `${group}.*`), ...called.flat(), ...dotted].filter((key) =>
    /^\w/.test(key),
  );
  return [...new Set(keys)].map((key) => new RegExp(`^${escaped(key, key.endsWith("*") ? hole : "\\w+")}$`));
}

function escaped(key: string, hole: string): string {
  return key
    .replace(/^common:/, "")
    .replaceAll(".", "\\.")
    .replaceAll("*", hole);
}

describe("the texts", () => {
  const patterns = uses(Object.values(SOURCES));

  // Sentences are asked for by the server; tests/domain/test_sentences.py holds its table to what it says.
  it.each(NAMESPACES.filter((each) => each !== "sentences"))("of %s are all asked for", (namespace) => {
    const unused = asked(catalogue("en", namespace)).filter(
      (key) => !patterns.some((pattern) => pattern.test(namespace === "common" ? key : `${namespace}:${key}`)),
    );
    expect(unused).toEqual([]);
  });

  it("would be found out where nothing asks for them", () => {
    const source = 't(found ? "yes" : `record:ask.${key}`); word("role", role); said({ key: "stop.what" }); "none"';
    const known = ["yes", "record:ask.stop.what", "role.source"];
    const unknown = ["none", "record:ask.stop.why", "record:role.source", "role", "found"];
    const patterns = uses([source]);
    expect([...known, ...unknown].filter((key) => patterns.some((pattern) => pattern.test(key)))).toEqual(known);
  });
});
