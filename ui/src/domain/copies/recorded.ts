/** A rerun that has been submitted, as a body that asks for the same again. */

import type { Member, Rerun, RerunBody } from "../../api/types";

/** A record as a body, and how many runs that isn't true of. */
export interface Recorded {
  body: RerunBody;
  /** Runs that the person may not read: they are missing. */
  hidden: number;
  /** Frozen runs that weren't made: Airflow doesn't tell by what they went; they are missing. */
  unnamed: number;
  /** Runs that took the places of others meanwhile: these are named. */
  replaced: number;
  /** Runs of which no task was selected: they get their default ones. */
  without: number;
}

/** What was selected, run by run and task by task; `members` are all that the person may read. */
export function recordedBody(rerun: Rerun, members: readonly Member[]): Recorded {
  const source = members.find(({ role }) => role === "source");
  const downstream = members.filter(({ role }) => role === "downstream");
  const frozen = members.filter(({ role }) => role === "frozen");
  const held = frozen.flatMap(frozenName);
  const again = source?.cause?.word !== "already_right";
  const body: RerunBody = {
    source: rerun.source,
    task_ids: tasksOf(source),
    rerun_source: again,
    options: rerun.options,
    members: downstream.map((member) => ({
      dag_id: member.dag_id,
      run_id: member.run_id ?? "",
      task_ids: tasksOf(member),
    })),
    freeze_mode: rerun.freeze_mode,
    frozen: held,
    name: rerun.name,
    reason: rerun.reason,
    settings: rerun.settings,
    notifications: rerun.notifications,
    propose: rerun.state === "proposed",
  };
  return {
    body,
    hidden: rerun.hidden_members,
    unnamed: frozen.length - held.length,
    replaced: downstream.filter(({ run_id, original_run_id }) => run_id !== original_run_id).length,
    without: [source, ...downstream].filter((member) => member?.task_ids.length === 0).length,
  };
}

function tasksOf(member: Member | undefined): RerunBody["task_ids"] {
  return member === undefined || member.task_ids.length === 0 ? null : member.task_ids;
}

function frozenName({ dag_id, run_id, logical_date }: Member): NonNullable<RerunBody["frozen"]> {
  if (run_id !== null) {
    return [{ dag_id, run_id }];
  }
  return logical_date === null ? [] : [{ dag_id, logical_date }];
}
