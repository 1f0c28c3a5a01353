import { expect, it } from "vitest";

import { csv } from "./csv";

const lines = (text: string) => text.slice(1).split("\r\n");
const one = (value: string | number | null | undefined) => lines(csv([value], [["value", (each) => each]]))[1];

it("has a line for each item, and each ends as RFC 4180 wants it", () => {
  const made = csv(
    [
      { id: 1, name: "订单" },
      { id: 2, name: null },
    ],
    [
      ["id", ({ id }) => id],
      ["name", ({ name }) => name],
    ],
  );
  expect(made).toBe("\uFEFFid,name\r\n1,订单\r\n2,\r\n");
});

it.each([
  ['say "no", twice', '"say ""no"", twice"'],
  ["two\nlines", '"two\nlines"'],
  ["two\r\nlines", '"two\r\nlines"'],
  ["plain; text", "plain; text"],
])("quotes %j", (value, written) => {
  expect(csv([value], [["value", (each) => each]])).toBe(`\uFEFFvalue\r\n${written}\r\n`);
});

it.each(["=1+1", "+1", "-1", "@SUM(A1)", "＝1"])("makes no formula of %j", (value) => {
  expect(one(value)).toBe(`'${value}`);
});

it.each([
  ["x;=HYPERLINK(A1)", "x;'=HYPERLINK(A1)"],
  ["x;;-1;+2", "x;;'-1;'+2"],
  ["x\t@SUM(A1)", "x\t'@SUM(A1)"],
  ["\t=1", "'\t'=1"],
  ["x\n=1", '"x\n\'=1"'],
  ['x;"=1"', `"x;""'=1"""`],
  ["a=1; b=-2", "a=1; b=-2"],
])("makes no formula of a part of %j that another separator splits off", (value, written) => {
  expect(csv([value], [["value", (each) => each]])).toBe(`\uFEFFvalue\r\n${written}\r\n`);
});

it("quotes what it has defused as well", () => {
  expect(one('=HYPERLINK("http://x","y")')).toBe(`"'=HYPERLINK(""http://x"",""y"")"`);
});

it("leaves numbers as they are", () => {
  expect(one(-1.5)).toBe("-1.5");
});

it("says at the end what there is no line for", () => {
  const made = csv(
    [1],
    [
      ["id", (each) => each],
      ["twice", (each) => 2 * each],
    ],
    ["3 runs are hidden, sadly"],
  );
  expect(lines(made)).toEqual(["id,twice", "1,2", '"3 runs are hidden, sadly",', ""]);
});
