import { expect, it } from "vitest";

import { memberOf, reviewOf } from "../../../testing/samples";
import { newsOf } from "./news";

const run = (dag_id: string) => ({ dag_id, run_id: "r1" });
const members = [
  memberOf(1, "orders", { role: "source" }),
  memberOf(2, "clean"),
  memberOf(3, "weekly", { role: "frozen" }),
];
const waves = [[run("orders")], [run("clean")]];
const said = (review: Parameters<typeof reviewOf>[0]) =>
  newsOf(reviewOf(review), members).map(({ run: { dag_id }, what }) => `${dag_id} ${what}`);

it("is nothing where the approval would do what was proposed", () => {
  expect(said({ waves })).toEqual([]);
});

it("is what has changed of the runs, and what is new in the plan", () => {
  const changes = [
    { ...run("clean"), change: "changed" as const },
    { ...run("other"), change: "added" as const },
  ];
  expect(said({ stale: true, changes, waves })).toEqual(["clean changed", "other found"]);
});

it("is what would be rerun, too, and what wouldn't any more, rather than that it has changed", () => {
  const changes = [
    { ...run("clean"), change: "changed" as const },
    { ...run("report"), change: "added" as const },
  ];
  const now = [[run("orders")], [run("report")]];
  expect(said({ stale: true, changes, waves: now })).toEqual(["report taken", "clean dropped"]);
});

it("leaves open what would be rerun where nothing would", () => {
  const changes = [{ ...run("clean"), change: "changed" as const }];
  expect(said({ stale: true, changes, waves: null })).toEqual(["clean changed"]);
});

it("doesn't miss a source that is right already and isn't rerun", () => {
  const right = [memberOf(1, "orders", { role: "source", state: "skipped" }), memberOf(2, "clean")];
  expect(newsOf(reviewOf({ waves: [[run("clean")]] }), right)).toEqual([]);
});

it("begins with what would be rerun without having been proposed, then what no longer would", () => {
  const many = Array.from({ length: 12 }, (_, index) => ({ ...run(`a${index}`), change: "changed" as const }));
  const now = [[run("orders")], [run("zulu"), run("yankee")]];
  const first = said({ stale: true, changes: many, waves: now }).slice(0, 4);
  expect(first).toEqual(["zulu taken", "yankee taken", "clean dropped", "a0 changed"]);
});
