/** What a person has decided so far. One plain value; every change of it goes through `reduce`. */

import type { Condition, RunRef, TaskRef } from "../../../api/types";
import { INITIAL, type TypedSettings } from "../../../domain/settings";

export const STEPS = ["source", "downstream", "settings", "review"] as const;
export type Step = (typeof STEPS)[number];

export const CONDITIONS = [
  "succeeded",
  "terminated",
  "member_failed",
  "paused",
  "not_proven",
  "frozen_too_long",
] as const satisfies readonly Condition[];

export type View = "flow" | "list";

/** What was decided about a downstream run; what is missing is as the plan proposes it. */
export interface MemberChoice {
  taken?: boolean;
  /** Exactly these tasks. */
  tasks?: TaskRef[];
  /** Of a record: whether it froze the run, or reran it. It is taken in that way only. */
  held?: boolean;
}

export interface Draft {
  source: RunRef;
  /** Tasks of the source; null: those that the server preselects; empty: none, with which one can't go on. */
  tasks: TaskRef[] | null;
  /** The task instance from which the person came, once its preselection was made. */
  entry: string | null;
  rerunSource: boolean;
  includeManual: boolean;
  freezeMode: boolean;
  /** By the keys of the plan's runs. It keeps what was said of runs that aren't in the plan at the moment. */
  members: ReadonlyMap<string, MemberChoice>;
  settings: TypedSettings;
  /** Null: the proposed one; empty: none. */
  name: string | null;
  reason: string;
  notifications: Readonly<Record<string, readonly Condition[]>>;
  /** How the downstream runs are shown. */
  view: View;
  /** The furthest step that was looked at. */
  reached: Step;
  /** The rerun that is to be done again, once the draft has become like it. */
  again: number | null;
  /** The rerun that was to be done again, and couldn't be read: the draft is a new one, and stays that. */
  unread: number | null;
  /** Only what `members` names is taken: it was taken from a record, and not from a plan's proposal. */
  only: boolean;
}

/** What a draft has of a record. */
export type FromRecord = Pick<
  Draft,
  | "tasks"
  | "rerunSource"
  | "includeManual"
  | "freezeMode"
  | "members"
  | "settings"
  | "name"
  | "reason"
  | "notifications"
>;

export type Change =
  | {
      type: "set";
      patch: Partial<
        Omit<Draft, "source" | "members" | "settings" | "notifications" | "reached" | "again" | "unread" | "only">
      >;
    }
  | { type: "settings"; patch: Partial<TypedSettings> }
  | { type: "take"; keys: Iterable<string>; taken: boolean }
  | { type: "memberTasks"; key: string; tasks: TaskRef[] | null }
  | { type: "defaults" }
  | { type: "again"; rerunId: number; like: FromRecord }
  | { type: "unread"; rerunId: number }
  | { type: "notify"; target: string; condition: Condition; wanted: boolean }
  | { type: "reached"; step: Step };

export function newDraft(source: RunRef): Draft {
  return {
    source,
    tasks: null,
    entry: null,
    rerunSource: true,
    includeManual: false,
    freezeMode: false,
    members: new Map(),
    settings: INITIAL,
    name: null,
    reason: "",
    notifications: {},
    view: "flow",
    reached: "source",
    again: null,
    unread: null,
    only: false,
  };
}

export function reduce(draft: Draft, change: Change): Draft {
  switch (change.type) {
    case "set":
      return { ...draft, ...change.patch };
    case "settings":
      return { ...draft, settings: { ...draft.settings, ...change.patch } };
    case "take":
      return { ...draft, members: taken(draft.members, change.keys, change.taken) };
    case "memberTasks":
      return { ...draft, members: withTasks(draft.members, change.key, change.tasks) };
    case "defaults":
      return { ...draft, members: new Map(), only: false };
    case "again":
      return { ...draft, ...change.like, again: change.rerunId, only: true };
    case "unread":
      return { ...draft, unread: change.rerunId };
    case "notify":
      return { ...draft, notifications: notified(draft.notifications, change) };
    case "reached":
      return STEPS.indexOf(change.step) > STEPS.indexOf(draft.reached) ? { ...draft, reached: change.step } : draft;
  }
}

function taken(members: Draft["members"], keys: Iterable<string>, wanted: boolean): Draft["members"] {
  const changed = new Map(members);
  for (const key of keys) {
    const { tasks } = members.get(key) ?? {};
    changed.set(key, { ...(tasks && { tasks }), taken: wanted });
  }
  return changed;
}

/** Who chooses tasks of a run wants the run; who chooses none leaves it out. */
function withTasks(members: Draft["members"], key: string, tasks: TaskRef[] | null): Draft["members"] {
  const choice: MemberChoice =
    tasks === null
      ? { taken: true }
      : tasks.length === 0
        ? { ...members.get(key), taken: false }
        : { taken: true, tasks };
  return new Map(members).set(key, choice);
}

function notified(
  notifications: Draft["notifications"],
  { target, condition, wanted }: Extract<Change, { type: "notify" }>,
): Draft["notifications"] {
  const before = notifications[target] ?? [];
  const on = CONDITIONS.filter((each) => (each === condition ? wanted : before.includes(each)));
  return { ...notifications, [target]: on };
}
