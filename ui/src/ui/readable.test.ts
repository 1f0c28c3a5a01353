import { expect, it } from "vitest";

const SOURCES = import.meta.glob<string>(["../**/*.tsx", "!../**/*.test.tsx"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** A part of a page that is shown, but fainter than it was made. */
const DIMMED = /\bopacity=(\{[^}]*\b0?\.\d|"0?\.\d)/;

it("dims nothing that is read, whatever it waits for: a colour has no contrast to lose", () => {
  const dimmed = Object.entries(SOURCES).filter(([, text]) => DIMMED.test(text));
  expect(dimmed.map(([path]) => path)).toEqual([]);
});

it("would find what is dimmed", () => {
  const faint = ["<Box opacity={busy ? 0.6 : 1}>", "<Box opacity={0.55}>", '<Box opacity=".5">'];
  expect(faint.every((text) => DIMMED.test(text))).toBe(true);
  expect(DIMMED.test("<Box opacity={shown ? 1 : 0}>")).toBe(false);
});
