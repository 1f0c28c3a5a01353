import { expect, it } from "vitest";

import { entryOf, parameters, query } from "./parameters";

const ODD = ["manual__2026-01-05T01:00:00+00:00", "a&b=c", "100%", "ü/ß #?", "{RUN_ID}x"];

it.each(ODD)("reads %s as it was written", (value) => {
  expect(entryOf(`?${query({ dag_id: "d", run_id: value })}`)).toMatchObject({ dagId: "d", runId: value });
});

it("takes a plus sign for one: Airflow 3.1 doesn't encode run ids", () => {
  expect(entryOf("?dag_id=d&run_id=scheduled__2026-01-05T00:00:00+00:00").runId).toBe(
    "scheduled__2026-01-05T00:00:00+00:00",
  );
});

it("leaves out what Airflow had nothing for", () => {
  expect(entryOf("?dag_id=d&run_id={RUN_ID}&task_id=%7BTASK_ID%7D&map_index={MAP_INDEX}")).toEqual({
    dagId: "d",
    runId: undefined,
    taskId: undefined,
    mapIndex: undefined,
  });
});

it.each([
  ["0", 0],
  ["12", 12],
  ["-1", undefined],
  ["1.5", undefined],
  ["x", undefined],
  ["", undefined],
])("takes the map index %s for %s", (written, read) => {
  expect(entryOf(`?map_index=${written}`).mapIndex).toBe(read);
});

it("takes what isn't encoded rightly as it came", () => {
  expect(parameters("?name=50%&empty&=x")).toEqual(
    new Map([
      ["name", "50%"],
      ["empty", ""],
      ["", "x"],
    ]),
  );
});

it("writes only what is there", () => {
  expect(query({ a: undefined, b: "", c: 0, d: "x y" })).toBe("c=0&d=x%20y");
});
