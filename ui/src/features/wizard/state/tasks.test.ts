import { describe, expect, it } from "vitest";

import { task } from "../../../testing/plans";
import { chosenBy, entryChoice, instanceKey, isBroken, keysOf, refsOf, refsOrDefault, withFollowers } from "./tasks";

const INSTANCES = [
  task("extract", { selected: false, reason: "succeeded" }),
  task("load", { map_index: 0, selected: true, status: "failed", reason: "failed" }),
  task("load", { map_index: 1, selected: false, reason: "succeeded" }),
  task("report", { selected: true, status: "revoked", reason: "revoked" }),
  task("old", { reason: "removed", selected: false }),
];
const STRUCTURE = [
  { task_id: "extract", downstream_task_ids: ["load"], group: null },
  { task_id: "load", downstream_task_ids: ["report"], group: null },
  { task_id: "report", downstream_task_ids: [], group: null },
];
const key = (task_id: string, map_index = -1) => instanceKey({ task_id, map_index });

describe("a choice of tasks", () => {
  it("is by default what the server preselects", () => {
    expect(chosenBy(null, INSTANCES)).toEqual(new Set([key("load", 0), key("report")]));
  });

  it("names a task as a whole when all its indexes are chosen", () => {
    expect(refsOf(new Set([key("load", 0), key("load", 1), key("report")]), INSTANCES)).toEqual(["load", "report"]);
    expect(refsOf(new Set([key("load", 1)]), INSTANCES)).toEqual([{ task_id: "load", map_index: 1 }]);
  });

  it("comes back from its references", () => {
    const chosen = new Set([key("extract"), key("load", 1)]);
    expect(chosenBy(refsOf(chosen, INSTANCES), INSTANCES)).toEqual(chosen);
  });

  it("is no list while it is the default", () => {
    expect(refsOrDefault(chosenBy(null, INSTANCES), INSTANCES)).toBeNull();
    expect(refsOrDefault(new Set(), INSTANCES)).toEqual([]);
  });

  it("never has a task that is gone", () => {
    expect(keysOf(INSTANCES, () => true).has(key("old"))).toBe(false);
    expect(chosenBy(["old"], INSTANCES).size).toBe(0);
    expect(refsOf(new Set([key("old")]), INSTANCES)).toEqual([]);
  });

  it("knows the broken ones by the server's words", () => {
    expect(keysOf(INSTANCES, isBroken)).toEqual(new Set([key("load", 0), key("report")]));
  });
});

describe("with everything downstream", () => {
  it("takes the instance itself, and all of what follows", () => {
    const chosen = withFollowers("load", [key("load", 0)], INSTANCES, STRUCTURE);
    expect(chosen).toEqual(new Set([key("load", 0), key("report")]));
  });

  it("is what somebody means who comes from a task instance", () => {
    const run = { task_instances: INSTANCES, structure: STRUCTURE };
    expect(entryChoice({ taskId: "load", mapIndex: 1 }, run)).toEqual(new Set([key("load", 1), key("report")]));
    expect(entryChoice({ taskId: "load" }, run)?.size).toBe(3);
    expect(entryChoice({ taskId: "gone" }, run)).toBeUndefined();
    expect(entryChoice({}, run)).toBeUndefined();
  });
});
