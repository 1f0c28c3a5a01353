/** A rerun once more: a draft like its record, and what of it can't be chosen any more. */

import { recordedBody } from "../../../domain/copies/recorded";
import { keyOf, type RunName } from "../../../domain/runName";
import { CONSENTS, typedSettings } from "../../../domain/settings";
import type { Member, PlanRun, Reason, Rerun, RerunBody, TaskInstance, TaskRef } from "../../../api/types";
import type { FromRecord, MemberChoice } from "./draft";
import { isTaken, type PlanIndex, refusalOf } from "./plan";
import { canBeChosen } from "./tasks";

export interface Recorded {
  rerun: Rerun;
  /** All that the person may read. */
  members: readonly Member[];
}

/**
 * The same selection, mode and settings; `instances` are those of the source now. Consents aren't taken over: whoever gave
 * them had other warnings before them.
 */
export function likeRecord({ rerun, members }: Recorded, instances: readonly TaskInstance[]): FromRecord {
  const { body } = recordedBody(rerun, members);
  const { max_active_members: most, ...settings } = rerun.settings;
  const consents = Object.fromEntries(CONSENTS.map((name) => [name, false]));
  const runs = (body.members ?? []).map((one): [string, MemberChoice] => [keyOf(one), choiceOf(refs(one.task_ids))]);
  const held = (body.frozen ?? []).map((one): [string, MemberChoice] => [keyOf(one), { taken: true }]);
  const tasks = refs(body.task_ids);
  const there = tasks && presentTasks(tasks, instances);
  return {
    tasks: there && there.length > 0 ? there : null,
    rerunSource: body.rerun_source,
    includeManual: rerun.options.include_manual,
    freezeMode: rerun.freeze_mode,
    members: new Map([...runs, ...held]),
    settings: typedSettings({ ...settings, ...consents, max_active_members: most === null ? "" : String(most) }),
    name: rerun.name,
    reason: rerun.reason ?? "",
    notifications: Object.fromEntries(rerun.notifications.map(({ target, on }) => [target, on])),
  };
}

/** Tasks as a record has them: an index is always told. */
function refs(tasks: RerunBody["task_ids"]): TaskRef[] | null {
  return (tasks ?? null) as TaskRef[] | null;
}

function choiceOf(tasks: readonly TaskRef[] | null): MemberChoice {
  return tasks === null ? { taken: true } : { taken: true, tasks: [...tasks] };
}

/** The tasks of a list that a run still has. */
export function presentTasks(tasks: readonly TaskRef[], instances: readonly TaskInstance[]): TaskRef[] {
  const there = instances.filter(canBeChosen);
  return tasks.filter((ref) =>
    there.some((each) =>
      typeof ref === "string" ? each.task_id === ref : each.task_id === ref.task_id && each.map_index === ref.map_index,
    ),
  );
}

/** A run of the record that can't be taken; `reason` null: today's plan doesn't have it. */
export interface LostRun {
  run: RunName;
  reason: Reason | null;
}

export interface Lost {
  runs: LostRun[];
  /** Tasks that their runs don't have any more; `run` null: of the source. */
  tasks: { run: RunName | null; names: string[] }[];
  /** Runs of the record that the person may not read. */
  hidden: number;
  /** Frozen runs of which the record doesn't say which ones they were. */
  unnamed: number;
  /** Runs that a plan of today proposes, and the record didn't have. */
  added: PlanRun[];
  /** It was planned with options that this page doesn't have: kinds of links, or limits. */
  options: boolean;
}

/** What a draft that is like the record lacks of it, by today's plan. */
export function lostOf({ rerun, members }: Recorded, index: PlanIndex, source: readonly TaskInstance[]): Lost {
  const { body, hidden, unnamed } = recordedBody(rerun, members);
  const taken = body.members ?? [];
  const held = body.frozen ?? [];
  const names = new Set([...taken, ...held].map((one) => keyOf(one)));
  const { link_kinds, max_runs, max_depth } = rerun.options;
  return {
    runs: [...taken, ...held].flatMap((run): LostRun[] => {
      const planned = index.runs.get(keyOf(run));
      const reason = planned ? refusalOf(planned, rerun.freeze_mode) : null;
      return planned && reason === null ? [] : [{ run, reason }];
    }),
    tasks: [
      { run: null, names: goneTasks(refs(body.task_ids), source) },
      ...taken.map((run) => {
        const instances = index.runs.get(keyOf(run))?.task_instances;
        return { run, names: instances ? goneTasks(refs(run.task_ids), instances) : [] };
      }),
    ].filter(({ names: gone }) => gone.length > 0),
    hidden,
    unnamed,
    added: index.keys
      .flatMap((key) => index.runs.get(key) ?? [])
      .filter((run) => !names.has(keyOf(run)) && isTaken(run, { members: new Map(), freezeMode: rerun.freeze_mode })),
    options: link_kinds !== null || max_runs !== null || max_depth !== null,
  };
}

function goneTasks(tasks: readonly TaskRef[] | null, instances: readonly TaskInstance[]): string[] {
  const there = new Set<TaskRef>(tasks === null ? [] : presentTasks(tasks, instances));
  return (tasks ?? [])
    .filter((ref) => !there.has(ref))
    .map((ref) => (typeof ref === "string" ? ref : `${ref.task_id}[${ref.map_index}]`));
}

/** Whether there is nothing to say. */
export function isWhole({ runs, tasks, hidden, unnamed, added, options }: Lost): boolean {
  return runs.length + tasks.length + hidden + unnamed + added.length === 0 && !options;
}
