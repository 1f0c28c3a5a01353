import { describe, expect, it } from "vitest";

import { type Change, newDraft, reduce } from "./draft";
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
