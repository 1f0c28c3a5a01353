/** A rerun once more: a draft like its record, and what of it can't be chosen any more. */

import { recordedBody } from "../../../domain/copies/recorded";
import { keyOf, type RunName } from "../../../domain/runName";
import { CONSENTS, typedSettings } from "../../../domain/settings";
import type { Member, PlanRun, Reason, Rerun, RerunBody, TaskInstance, TaskRef } from "../../../api/types";
import type { FromRecord, MemberChoice } from "./draft";
import { isTaken, type PlanIndex, refusalOf, wayOf } from "./plan";
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
  const held = (body.frozen ?? []).map((one): [string, MemberChoice] => [keyOf(one), { taken: true, held: true }]);
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
  return { taken: true, held: false, ...(tasks && { tasks: [...tasks] }) };
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

/** A run of the record that isn't taken; `reason` null: today's plan doesn't have it. */
export interface LostRun {
  run: RunName;
  reason: Reason | null;
  /** How it took part then, where today it would only in another way. */
  was?: "rerun" | "frozen";
}

export interface LostTasks {
  /** Null: of the source. */
  run: RunName | null;
  names: string[];
  /** None of those that the record has is left. */
  all: boolean;
}

export interface Lost {
  runs: LostRun[];
  /** Tasks that their runs don't have any more. */
  tasks: LostTasks[];
  /** Runs of the record that the person may not read. */
  hidden: number;
  /** Frozen runs of which the record doesn't say which ones they were. */
  unnamed: number;
  /** Runs that took the places of others meanwhile. */
  replaced: number;
  /** Runs of which the record has no task: they get their default ones. */
  without: number;
  /** Runs that a plan of today proposes, and the record didn't have. */
  added: PlanRun[];
  /** It was planned with options that this page doesn't have: kinds of links, or limits. */
  options: boolean;
}

/** What a draft that is like the record lacks of it, by today's plan. */
export function lostOf({ rerun, members }: Recorded, index: PlanIndex, source: readonly TaskInstance[]): Lost {
  const { body, hidden, unnamed, replaced, without } = recordedBody(rerun, members);
  const taken = body.members ?? [];
  const held = body.frozen ?? [];
  const names = new Set([...taken, ...held].map((one) => keyOf(one)));
  const { link_kinds, max_runs, max_depth } = rerun.options;
  return {
    runs: [
      ...taken.flatMap((run) => lostRun(run, index, rerun.freeze_mode, "rerun")),
      ...held.flatMap((run) => lostRun(run, index, rerun.freeze_mode, "frozen")),
    ],
    tasks: [
      goneTasks(null, refs(body.task_ids), source),
      ...taken.map((run) => goneTasks(run, refs(run.task_ids), index.runs.get(keyOf(run))?.task_instances)),
    ].filter(({ names: gone }) => gone.length > 0),
    hidden,
    unnamed,
    replaced,
    without,
    added: index.keys
      .flatMap((key) => index.runs.get(key) ?? [])
      .filter(
        (run) =>
          !names.has(keyOf(run)) && isTaken(run, { members: new Map(), freezeMode: rerun.freeze_mode, only: false }),
      ),
    options: link_kinds !== null || max_runs !== null || max_depth !== null,
  };
}

function lostRun(run: RunName, index: PlanIndex, freezeMode: boolean, was: "rerun" | "frozen"): LostRun[] {
  const same = index.runs.get(keyOf(run));
  const planned = same ?? madeSince(run, index);
  if (planned === undefined) {
    return [{ run, reason: null }];
  }
  const reason = refusalOf(planned, freezeMode);
  if (reason !== null) {
    return [{ run, reason }];
  }
  const held = wayOf(planned, freezeMode) === "hold";
  return same !== undefined && held === (was === "frozen") ? [] : [{ run, reason, was }];
}

/** The run that a record froze before Airflow made it. */
function madeSince({ dag_id, run_id, logical_date }: RunName, { keys, runs }: PlanIndex): PlanRun | undefined {
  const day = run_id || !logical_date ? undefined : Date.parse(logical_date);
  return keys
    .map((key) => runs.get(key))
    .find((each) => each?.dag_id === dag_id && each.logical_date !== null && Date.parse(each.logical_date) === day);
}

function goneTasks(
  run: RunName | null,
  tasks: readonly TaskRef[] | null,
  instances: readonly TaskInstance[] | null | undefined,
): LostTasks {
  const there = new Set<TaskRef>(tasks && instances ? presentTasks(tasks, instances) : (tasks ?? []));
  const names = (tasks ?? [])
    .filter((ref) => !there.has(ref))
    .map((ref) => (typeof ref === "string" ? ref : `${ref.task_id}[${ref.map_index}]`));
  return { run, names, all: there.size === 0 };
}

/** Whether there is nothing to say. */
export function isWhole({ runs, tasks, hidden, unnamed, replaced, without, added, options }: Lost): boolean {
  return runs.length + tasks.length + hidden + unnamed + replaced + without + added.length === 0 && !options;
}
