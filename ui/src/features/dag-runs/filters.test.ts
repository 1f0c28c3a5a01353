import { describe, expect, it } from "vitest";

import { ANY, askedOf, isFiltered, NO_FILTER, readFilters, writeFilters } from "./filters";

describe("filters of the list of Dag runs", () => {
  it("come back from the address as they went there", () => {
    const filters = {
      ...readFilters(""),
      dagId: "a+b",
      dag: "c d",
      run: "2026-01",
      tag: "shop",
      owner: "ada",
      state: "failed",
      from: "2026-01-05T01:00:00Z",
      offset: 50,
    };
    expect(readFilters(`?${writeFilters(filters)}`)).toEqual(filters);
  });

  it("leave defaults out of the address", () => {
    expect(writeFilters(readFilters(""))).toBe("");
  });

  it("begin with the window of sources, unless the person says otherwise", () => {
    const since = "2026-01-04T00:00:00Z";
    expect(askedOf(readFilters(""), since).run_after_gte).toBe(since);
    expect(askedOf(readFilters(`?from=${ANY}`), since).run_after_gte).toBeUndefined();
    expect(askedOf(readFilters("?from=2026-01-01T00:00:00Z"), since).run_after_gte).toBe("2026-01-01T00:00:00Z");
    expect(askedOf(readFilters(""), null).run_after_gte).toBeUndefined();
  });

  it("ask for a run's id, and its Dag's tag and owner", () => {
    const filters = readFilters("?run=2026&tag=shop&owner=ada");
    expect(askedOf(filters, null)).toMatchObject({ run_id_pattern: "2026", tag: ["shop"], owner_pattern: "ada" });
    expect(isFiltered(filters)).toBe(true);
    expect(isFiltered({ ...filters, ...NO_FILTER })).toBe(false);
  });

  it("search for a part of a Dag's id, or keep to the Dag that the person came from", () => {
    expect(askedOf(readFilters("?dag=shop"), null)).toMatchObject({ dag_id_pattern: "shop" });
    const one = askedOf(readFilters("?dag_id=shop"), null);
    expect(one).toMatchObject({ dag_id: ["shop"] });
    expect(one.dag_id_pattern).toBeUndefined();
  });
});
