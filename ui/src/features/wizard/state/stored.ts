/** A draft as it is kept in the browser, and what of it can be read again. */

import { CONDITIONS, type Draft, type MemberChoice, newDraft, STEPS } from "./draft";
import type { RunRef } from "../../../api/types";
import { typedSettings } from "../../../domain/settings";

/** Raise it when the fields of stored drafts mean something else. */
const VERSION = 2;

export function stored(draft: Draft): string {
  return JSON.stringify({ version: VERSION, draft: { ...draft, members: [...draft.members] } });
}

/**
 * The draft that was stored for a source; undefined for what belongs to another, or to a release that stored it in
 * another way. What is missing or broken in it is as in a new draft.
 */
export function restored(text: string | null, source: RunRef): Draft | undefined {
  const kept = parsed(text);
  if (!isObject(kept) || kept.version !== VERSION || !isObject(kept.draft) || !isObject(kept.draft.source)) {
    return undefined;
  }
  const { draft } = kept;
  const { dag_id, run_id } = kept.draft.source;
  if (dag_id !== source.dag_id || run_id !== source.run_id) {
    return undefined;
  }
  const readable = Object.entries(READABLE).filter(([field, isReadable]) => isReadable(draft[field]));
  return {
    ...newDraft(source),
    ...Object.fromEntries(readable.map(([field]) => [field, draft[field]])),
    members: new Map(listOf(draft.members).filter(isChoice)),
    settings: typedSettings(isObject(draft.settings) ? draft.settings : {}),
  };
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isTask: Check = (value) =>
  isText(value) || (isObject(value) && isText(value.task_id) && Number.isInteger(value.map_index));
const areTasks: Check = (value) => Array.isArray(value) && value.every(isTask);
const areConditions: Check = (value) =>
  Array.isArray(value) && value.every((each) => CONDITIONS.includes(each as never));

const READABLE: Record<Exclude<keyof Draft, "source" | "members" | "settings">, Check> = {
  tasks: (value) => value === null || areTasks(value),
  entry: (value) => value === null || isText(value),
  rerunSource: isFlag,
  includeManual: isFlag,
  freezeMode: isFlag,
  name: (value) => value === null || isText(value),
  reason: isText,
  notifications: (value) => isObject(value) && Object.values(value).every(areConditions),
  view: (value) => value === "flow" || value === "list",
  reached: (value) => STEPS.includes(value as never),
  again: (value) => value === null || Number.isInteger(value),
  unread: (value) => value === null || Number.isInteger(value),
  only: isFlag,
};

function isChoice(entry: unknown): entry is [string, MemberChoice] {
  const [key, choice] = listOf(entry);
  return (
    isText(key) &&
    isObject(choice) &&
    (choice.taken === undefined || isFlag(choice.taken)) &&
    (choice.tasks === undefined || areTasks(choice.tasks)) &&
    (choice.held === undefined || isFlag(choice.held))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}
