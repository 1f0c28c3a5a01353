/** From a draft to the questions and orders that the API takes. */

import type { PlanBody, PlanRun, RerunBody, RunRef } from "../../../api/types";
import { freezeRef } from "../../../domain/runName";
import { sentSettings } from "../../../domain/settings";
import { CONDITIONS, type Draft } from "./draft";
import { nameOf } from "./name";
import { type PlanIndex, selection, tasksOf } from "./plan";

type Question = Pick<Draft, "source" | "tasks" | "rerunSource" | "includeManual">;

/** The question for a preview; undefined while no task of the source is chosen. */
export function planBody({ source, tasks, rerunSource, includeManual }: Question): PlanBody | undefined {
  if (tasks?.length === 0) {
    return undefined;
  }
  return { source, task_ids: tasks, rerun_source: rerunSource, options: { include_manual: includeManual } };
}

/** The rerun as it would be ordered now; undefined while there is nothing to order. `proposed`: its name, if it has no other. */
export function rerunBody(draft: Draft, index: PlanIndex, proposed: string): RerunBody | undefined {
  const question = planBody(draft);
  if (question === undefined) {
    return undefined;
  }
  const { rerun, stop, hold } = selection(index, draft);
  const runs = (keys: string[]) => keys.map((key) => index.runs.get(key)).filter((run) => run !== undefined);
  return {
    ...question,
    members: runs([...rerun, ...stop]).map((run) => ({ ...refOf(run), task_ids: tasksOf(run, draft) })),
    freeze_mode: draft.freezeMode,
    frozen: draft.freezeMode ? (runs(hold).map(freezeRef) as RerunBody["frozen"]) : null,
    plan_token: index.plan.plan_token,
    name: nameOf(draft.name, proposed),
    reason: draft.reason.trim() || null,
    settings: sentSettings(draft.settings),
    notifications: Object.entries(draft.notifications)
      .map(([target, on]) => ({ target, on: CONDITIONS.filter((condition) => on.includes(condition)) }))
      .filter(({ on }) => on.length > 0),
    propose: false,
  };
}

function refOf(run: PlanRun): RunRef {
  return { dag_id: run.dag_id, run_id: run.run_id ?? "" };
}

/** What a new plan has done to a selection. */
export interface Difference {
  dropped: PlanRun[];
  added: PlanRun[];
}

/** Which runs a draft takes by one plan and doesn't by another. */
export function difference(before: PlanIndex, after: PlanIndex, draft: Draft): Difference {
  const taken = (index: PlanIndex) => {
    const { rerun, stop, hold } = selection(index, draft);
    return new Set([...rerun, ...stop, ...hold]);
  };
  const [old, now] = [taken(before), taken(after)];
  const missing = (from: Set<string>, other: Set<string>, index: PlanIndex) =>
    [...from].filter((key) => !other.has(key)).flatMap((key) => index.runs.get(key) ?? []);
  return { dropped: missing(old, now, before), added: missing(now, old, after) };
}
