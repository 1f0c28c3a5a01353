import { expect, it } from "vitest";

import { filtersOf, isFiltered, searchOf, viewOf } from "./query";

it("keeps a plus in what is searched for", () => {
  const view = { ...viewOf(""), dag: "a+b c", createdBy: "x+y" };
  expect(viewOf(`?${searchOf(view)}`)).toEqual(view);
});

it("leaves out of the address what is as usual", () => {
  expect(searchOf(viewOf("?order_by=-id&offset=0&frozen=false&state=nonsense"))).toBe("");
});

it("asks for Dags whose ids contain the text", () => {
  const filters = filtersOf(viewOf("?dag=shop&state=failed&frozen=true&order_by=name&offset=50"));
  expect(filters).toMatchObject({
    dag_id_pattern: "shop",
    state: ["failed"],
    frozen: true,
    order_by: "name",
    offset: 50,
  });
});

it("tells a narrowed list from a whole one", () => {
  expect(isFiltered(viewOf("?offset=50&order_by=name"))).toBe(false);
  expect(isFiltered(viewOf("?since=2026-01-05T00:00:00Z"))).toBe(true);
});
