import { expect, it } from "vitest";

import { linkOf, memberOf } from "../../../testing/samples";
import { memberIdOf, memberKey, structureOf } from "./structure";

const orders = memberOf(1, "orders", { role: "source" });
const finance = memberOf(2, "finance");
const weekly = memberOf(3, "weekly");

function ways(members: Parameters<typeof structureOf>[0], links: Parameters<typeof structureOf>[1]) {
  const named = new Map(members.map(({ id, dag_id }) => [memberKey(id), dag_id]));
  return structureOf(members, links, true).edges.map(
    ({ from, to, through }) => `${named.get(from)} ${named.get(to)} ${through}`,
  );
}

it("joins members across runs that aren't part of the rerun", () => {
  const links = [linkOf("orders", "a"), linkOf("a", "b"), linkOf("b", "weekly"), linkOf("orders", "finance")];
  expect(ways([orders, finance, weekly], links)).toEqual(["orders finance 0", "orders weekly 2"]);
});

it("takes the direct link where there is one, and doesn't lead through members", () => {
  const links = [
    linkOf("orders", "a"),
    linkOf("a", "finance"),
    linkOf("orders", "finance"),
    linkOf("finance", "weekly"),
  ];
  expect(ways([orders, finance, weekly], links)).toEqual(["orders finance 0", "finance weekly 0"]);
});

it("ends where the runs in between form a circle", () => {
  const links = [
    linkOf("orders", "a"),
    linkOf("a", "b"),
    linkOf("b", "a"),
    linkOf("b", "orders"),
    linkOf("b", "weekly"),
  ];
  expect(ways([orders, weekly], links)).toEqual(["orders weekly 2"]);
});

it("shows the other runs as nodes where they are wanted", () => {
  const { nodes, edges, others } = structureOf([orders], [linkOf("orders", "a")], false);
  const [key = ""] = Object.keys(others);
  expect(others[key]).toEqual({ dag_id: "a", run_id: "r1" });
  expect(nodes).toEqual([memberKey(1), key]);
  expect(edges).toMatchObject([{ from: memberKey(1), to: key }]);
  expect(memberIdOf(key)).toBeUndefined();
});

it("merges links between the same two runs", () => {
  const links = [linkOf("orders", "finance"), linkOf("orders", "finance", { kind: "sensor", evidence: "derived" })];
  expect(structureOf([orders, finance], links, true).edges).toMatchObject([
    { kinds: ["asset", "sensor"], evidence: ["recorded", "derived"] },
  ]);
});

it("finds an adopted run under its id at submit", () => {
  const adopted = memberOf(2, "finance", { run_id: "r2" });
  expect(ways([orders, adopted], [linkOf("orders", "finance")])).toEqual(["orders finance 0"]);
});

it("finds frozen runs by what they were named at submit, made or not", () => {
  const dated = memberOf(4, "daily", { role: "frozen", run_id: "made", logical_date: "2026-01-06T00:00:00.000000Z" });
  const next = memberOf(5, "report", { role: "frozen", run_id: null, original_run_id: null, logical_date: null });
  const links = [
    linkOf("orders", "", { downstream: { dag_id: "daily", logical_date: "2026-01-06T01:00:00+01:00" } }),
    linkOf("orders", "", { downstream: { dag_id: "report", next: true } }),
    linkOf("orders", "", { downstream: { dag_id: "report" } }),
  ];
  expect(ways([orders, dated, next], links)).toEqual(["orders daily 0", "orders report 0"]);
  expect(Object.values(structureOf([orders, dated, next], links, true).others)).toEqual([{ dag_id: "report" }]);
});
