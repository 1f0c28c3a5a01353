import { expect, it } from "vitest";

import { byGroup } from "./MemberTasks";

const node = (task_id: string, group: string | null) => ({ task_id, downstream_task_ids: [], group });

it("puts tasks together that stand in one group, in the order in which the groups come", () => {
  const tasks = ["begin", "extract.a", "end", { task_id: "extract.b", map_index: 2 }];
  const structure = [
    node("begin", null),
    node("extract.a", "extract"),
    node("extract.b", "extract"),
    node("end", null),
  ];
  expect([...byGroup(tasks, structure)]).toEqual([
    ["", ["begin", "end"]],
    ["extract", ["extract.a", { task_id: "extract.b", map_index: 2 }]],
  ]);
  expect([...byGroup(tasks, [])]).toEqual([["", tasks]]);
});
