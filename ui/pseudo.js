/**
 * Writes a language that nobody speaks: English with accents, 40 % longer, in brackets. Shown in it, a page gives away
 * each text that stands in no catalogue, and each place that has no room for a longer one.
 *
 *     python ui/node.py pseudo     src/i18n/locales/en-XA, which git ignores; "i18nextLng" in the browser's storage asks for it
 *     node pseudo.js FOLDER        the same files elsewhere
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const ENGLISH = join(import.meta.dirname, "src/i18n/locales/en");
/** What isn't text: parameters, elements, and what a user has to type as it stands. */
const KEPT = /\{\{.*?\}\}|<.*?>|\$t\(.*?\)|`.*?`/g;
const LONGER = 0.4;

const LETTERS = new Map(
  [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter, at) => [
    letter,
    [..."àƀçđéƒğĥîĵķļɱñöþɋŕšţûṽŵẋýžÀƁÇÐÉƑĞĤÎĴĶĻṀÑÖÞɊŔŠŢÛṼŴẊÝŽ"][at],
  ]),
);

function accented(text) {
  return [...text].map((letter) => LETTERS.get(letter) ?? letter).join("");
}

/** A text in the language. */
function pseudo(text) {
  const kept = text.match(KEPT) ?? [];
  const parts = text.split(KEPT).map(accented);
  const written = parts.map((part, at) => part + (kept[at] ?? "")).join("");
  return `⟦${written}${"~".repeat(Math.ceil(parts.join("").length * LONGER))}⟧`;
}

function translated(texts) {
  return Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [name, typeof value === "string" ? pseudo(value) : translated(value)]),
  );
}

const folder = process.argv[2] ?? join(import.meta.dirname, "src/i18n/locales/en-XA");
mkdirSync(folder, { recursive: true });
for (const file of readdirSync(ENGLISH)) {
  const texts = JSON.parse(readFileSync(join(ENGLISH, file), "utf8"));
  writeFileSync(join(folder, file), `${JSON.stringify(translated(texts), null, 2)}\n`);
}
