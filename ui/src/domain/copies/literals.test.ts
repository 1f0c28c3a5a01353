import { expect, it } from "vitest";

import { hasUnseen, json, python, shellWord } from "./literals";

it.each([
  ["plain-1.0", "plain-1.0"],
  ["scheduled__2026-01-05T01:00:00+00:00", "scheduled__2026-01-05T01:00:00+00:00"],
  ["", "''"],
  ["two words", "'two words'"],
  ["it's", String.raw`'it'\''s'`],
  ["'", String.raw`''\'''`],
  ['$HOME `id` "x" \\', "'$HOME `id` \"x\" \\'"],
  ["=ls", "'=ls'"],
  ["~", "'~'"],
  ["!!", "'!!'"],
  ["{a,b}", "'{a,b}'"],
  ["名", "'名'"],
])("quotes %j for a shell", (text, quoted) => {
  expect(shellWord(text)).toBe(quoted);
});

it.each([
  "\n",
  "\u001b[31m",
  "\u0000",
  "\u007f",
  "\u0085",
  "\u00a0",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\u{e0041}",
  "\ud800",
])("knows that nobody sees %j", (character) => {
  expect(hasUnseen(`a${character}b`)).toBe(true);
  expect(hasUnseen("a b 名 é 🙂")).toBe(false);
});

it("writes what nobody sees as numbers, which mean the same", () => {
  const text = "a\n\u202e\u{e0041}\u00a0\"'\\名🙂";
  expect(json(text)).toBe(String.raw`"a\n\u202e\udb40\udc41\u00a0\"'\\名🙂"`);
  expect(JSON.parse(json(text))).toBe(text);
  expect(python(text)).toBe(String.raw`"a\n\u202e\U000e0041\u00a0\"'\\名🙂"`);
});

it("writes what Python calls otherwise", () => {
  expect(python({ a: null, b: true, c: [false, 5], d: undefined })).toBe('{"a": None, "b": True, "c": [False, 5]}');
  expect(json({ a: null, b: true, c: [], d: {} })).toBe('{"a": null, "b": true, "c": [], "d": {}}');
});

it("breaks what doesn't fit in a line, and only that", () => {
  const run = { dag_id: "d".repeat(30), run_id: "r".repeat(20) };
  expect(json({ source: run, members: [run] })).toBe(
    [
      "{",
      `  "source": ${JSON.stringify(run).replace(/([:,])"/g, '$1 "')},`,
      `  "members": [{"dag_id": "${run.dag_id}", "run_id": "${run.run_id}"}]`,
      "}",
    ].join("\n"),
  );
  expect(python([run, run], "    ")).toBe(
    [
      "[",
      `        {"dag_id": "${run.dag_id}", "run_id": "${run.run_id}"},`,
      `        {"dag_id": "${run.dag_id}", "run_id": "${run.run_id}"},`,
      "    ]",
    ].join("\n"),
  );
});
