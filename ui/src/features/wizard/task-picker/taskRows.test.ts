import { expect, it } from "vitest";

import { task } from "../../../testing/plans";
import { openGroups, rowsOf } from "./taskRows";

const INSTANCES = [
  task("begin"),
  task("extract.part", { map_index: 0 }),
  task("extract.part", { map_index: 1 }),
  task("load"),
  task("extract.check"),
];
const STRUCTURE = [
  { task_id: "begin", downstream_task_ids: [], group: null },
  { task_id: "extract.part", downstream_task_ids: [], group: "extract" },
  { task_id: "extract.check", downstream_task_ids: [], group: "extract" },
  { task_id: "load", downstream_task_ids: [], group: null },
];

it("puts the tasks of a group into it, and the indexes of a mapped task below that", () => {
  const rows = rowsOf(INSTANCES, STRUCTURE);
  expect(rows.map(({ taskId, isGroup }) => [taskId, isGroup])).toEqual([
    ["begin", false],
    ["extract", true],
    ["load", false],
  ]);
  const group = rows[1];
  expect(group?.instances).toHaveLength(3);
  expect(group?.subRows?.map(({ taskId }) => taskId)).toEqual(["extract.part", "extract.check"]);
  expect(group?.subRows?.[0]?.subRows?.map(({ mapIndex }) => mapIndex)).toEqual([0, 1]);
});

it("opens groups at first, and no mapped task", () => {
  expect(Object.keys(openGroups(rowsOf(INSTANCES, STRUCTURE)))).toEqual(["group\u0000extract"]);
});

it("lists tasks as they are where nobody knows the Dag's groups", () => {
  expect(rowsOf(INSTANCES, []).map(({ taskId }) => taskId)).toEqual(["begin", "extract.part", "load", "extract.check"]);
});
