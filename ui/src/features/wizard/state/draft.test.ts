import { describe, expect, it } from "vitest";

import { type Change, newDraft, reduce, restored, stored } from "./draft";
import { SOURCE } from "../../../testing/plans";

const after = (...changes: Change[]) => changes.reduce(reduce, newDraft(SOURCE));

describe("a draft", () => {
  it("begins with the server's proposals", () => {
    const draft = newDraft(SOURCE);
    expect(draft).toMatchObject({
      source: SOURCE,
      tasks: null,
      rerunSource: true,
      freezeMode: false,
      reached: "source",
    });
    expect(draft.members.size).toBe(0);
  });

  it("takes and leaves out runs, and keeps their tasks meanwhile", () => {
    const draft = after(
      { type: "memberTasks", key: "a", tasks: ["load"] },
      { type: "take", keys: ["a", "b"], taken: false },
      { type: "take", keys: ["a"], taken: true },
    );
    expect([...draft.members]).toEqual([
      ["a", { taken: true, tasks: ["load"] }],
      ["b", { taken: false }],
    ]);
  });

  it("forgets named tasks when the proposal is wanted again, and leaves a run out of which no task is", () => {
    const named: Change = { type: "memberTasks", key: "a", tasks: ["load"] };
    expect(after(named, { type: "memberTasks", key: "a", tasks: null }).members.get("a")).toEqual({ taken: true });
    expect(after(named, { type: "memberTasks", key: "a", tasks: [] }).members.get("a")?.taken).toBe(false);
    expect(after(named, { type: "defaults" }).members.size).toBe(0);
  });

  it("has the conditions of a target in a fixed order", () => {
    const draft = after(
      { type: "notify", target: "mail", condition: "member_failed", wanted: true },
      { type: "notify", target: "mail", condition: "succeeded", wanted: true },
    );
    expect(draft.notifications).toEqual({ mail: ["succeeded", "member_failed"] });
  });

  it("remembers the furthest step", () => {
    expect(after({ type: "reached", step: "settings" }, { type: "reached", step: "source" }).reached).toBe("settings");
  });

  it("isn't another one when nothing has changed", () => {
    const draft = newDraft(SOURCE);
    expect(reduce(draft, { type: "reached", step: "source" })).toBe(draft);
  });
});

describe("what is stored", () => {
  it("may be of an older release: what that didn't ask is as in a new draft", () => {
    const { view, notifications, members, ...older } = newDraft(SOURCE);
    const { acceptUnknownOffsets, ...settings } = { ...older.settings, maxActiveMembers: "3" };
    const text = JSON.stringify({ version: 1, draft: { ...older, settings, name: "kept" } });
    expect(restored(text, SOURCE)).toEqual({
      ...older,
      ...{ view, notifications, members, name: "kept" },
      settings: { ...settings, acceptUnknownOffsets },
    });
  });

  it("is what comes back", () => {
    const draft = after(
      { type: "take", keys: ["a"], taken: false },
      { type: "set", patch: { tasks: [{ task_id: "load", map_index: 2 }], name: "again" } },
      { type: "settings", patch: { onFailure: "pause" } },
    );
    expect(restored(stored(draft), SOURCE)).toEqual(draft);
  });

  it("isn't taken for another source, nor where it can't be read", () => {
    expect(restored(stored(newDraft(SOURCE)), { ...SOURCE, run_id: "r2" })).toBeUndefined();
    expect(restored(null, SOURCE)).toBeUndefined();
    expect(restored("{", SOURCE)).toBeUndefined();
    expect(restored(JSON.stringify({ version: 1, draft: { source: SOURCE, members: 5 } }), SOURCE)).toBeUndefined();
    expect(restored('{"version":0,"draft":{}}', SOURCE)).toBeUndefined();
  });
});
