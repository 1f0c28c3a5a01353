import { describe, expect, it } from "vitest";

import { SOURCE } from "../../../testing/plans";
import { type Change, type Draft, newDraft, reduce } from "./draft";
import { restored, stored } from "./stored";

const FRESH = newDraft(SOURCE);
const CHANGES: Change[] = [
  { type: "take", keys: ["a"], taken: false },
  { type: "memberTasks", key: "b", tasks: ["load", { task_id: "sum", map_index: 0 }] },
  {
    type: "set",
    patch: { tasks: [{ task_id: "load", map_index: 2 }], entry: "load", name: "again", reason: "rate", view: "list" },
  },
  { type: "set", patch: { rerunSource: false, includeManual: true, freezeMode: true } },
  { type: "settings", patch: { on_failure: "pause", run_on_latest_version: false, max_active_members: "x" } },
  { type: "notify", target: "mail", condition: "succeeded", wanted: true },
  { type: "reached", step: "settings" },
];
const DRAFT = CHANGES.reduce(reduce, FRESH);

/** A draft whose stored form somebody has changed, as it comes back. */
function meddled(change: (draft: Record<string, unknown>) => unknown): Draft | undefined {
  const kept = JSON.parse(stored(DRAFT)) as { draft: Record<string, unknown> };
  change(kept.draft);
  return restored(JSON.stringify(kept), SOURCE);
}

describe("a stored draft", () => {
  it("comes back as it was", () => {
    expect(restored(stored(DRAFT), SOURCE)).toEqual(DRAFT);
    expect(restored(stored(FRESH), SOURCE)).toEqual(FRESH);
  });

  it("isn't taken for another source, nor in another version, nor where it can't be read", () => {
    expect(restored(stored(DRAFT), { ...SOURCE, run_id: "r2" })).toBeUndefined();
    for (const text of [null, "", "{", "5", "null", "[]", '{"version":2}', '{"version":2,"draft":{}}']) {
      expect(restored(text, SOURCE)).toBeUndefined();
    }
    expect(restored(stored(DRAFT).replace('"version":2', '"version":1'), SOURCE)).toBeUndefined();
  });

  const fields = Object.keys(FRESH).filter((field) => field !== "source") as (keyof Draft)[];
  const BROKEN = [undefined, null, 5, "?", true, {}, ["?", 5, null, {}], { a: 5 }, { a: ["?"] }, [["a", { taken: 5 }]]];

  it.each(fields)("comes back without %s, or with a broken one, as in a new draft", (field) => {
    for (const broken of BROKEN) {
      const back = meddled((draft) => (draft[field] = broken));
      expect(back).toBeDefined();
      const [known, fresh] = [back?.[field], FRESH[field]];
      // What is as it could be is taken: a text for a text, null where it means something.
      expect([fresh, broken]).toContainEqual(known);
      expect({ ...back, [field]: DRAFT[field] }).toEqual(DRAFT);
    }
  });

  it.each(Object.keys(FRESH.settings))("comes back with a broken setting %s as in a new one", (name) => {
    for (const broken of [undefined, 5, {}, [null]]) {
      const back = meddled((draft) => (draft.settings = { ...DRAFT.settings, [name]: broken }));
      expect(back?.settings).toEqual({ ...DRAFT.settings, [name]: FRESH.settings[name as never] });
    }
  });

  it("takes no member and no setting that it doesn't know", () => {
    const back = meddled((draft) => {
      draft.members = [["a", { taken: true }], ["b", { tasks: 5 }], "c", [5, {}]];
      draft.settings = { on_failure: "pause", gone: true };
    });
    expect([...(back?.members ?? [])]).toEqual([["a", { taken: true }]]);
    expect(back?.settings).toEqual({ ...FRESH.settings, on_failure: "pause" });
  });
});
