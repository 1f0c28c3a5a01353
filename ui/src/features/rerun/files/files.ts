/** The columns of the files that a record can be saved as: the names of the REST API, and its machine words. */

import type { Cause, EventAction, Member, Rerun, RerunEvent } from "../../../api/types";
import type { Column } from "../../../domain/files/csv";
import { secondsBetween } from "../../../domain/dates";

type Said = (cause: Cause | null) => string;

/**
 * Members. `state_reason` is in the person's language, its word beside it for programs. What Airflow says of the runs now
 * isn't in it: that is no part of the record, and the page knows it only of the runs in sight.
 */
export function memberColumns(said: Said): Column<Member>[] {
  return [
    ["id", ({ id }) => id],
    ["dag_id", ({ dag_id }) => dag_id],
    ["run_id", ({ run_id }) => run_id],
    ["original_run_id", ({ original_run_id }) => original_run_id],
    ["logical_date", ({ logical_date }) => logical_date],
    ["run_after", ({ run_after }) => run_after],
    ["role", ({ role }) => role],
    ["state", ({ state }) => state],
    ["reason_word", ({ cause }) => cause?.word],
    ["state_reason", ({ cause }) => said(cause)],
    ["depth", ({ depth }) => depth],
    ["attempt", ({ attempt }) => attempt],
    ["dispatched_at", ({ dispatched_at }) => dispatched_at],
    ["ended_at", ({ ended_at }) => ended_at],
    ["duration_seconds", durationOf],
    ["final_run_state", ({ final_run_state }) => final_run_state],
    ["task_ids", ({ task_ids }) => task_ids.map(taskName).join(" ")],
    ["waiting_on", ({ waiting_on }) => waiting_on.map(({ dag_id, run_id }) => `${dag_id}/${run_id}`).join(" ")],
  ];
}

/** Lines of the record; `said` is what a line tells besides its action. */
export function eventColumns(
  members: ReadonlyMap<number, Member>,
  action: (word: EventAction) => string,
  said: (event: RerunEvent) => string,
): Column<RerunEvent>[] {
  const member = ({ member_id }: RerunEvent) => members.get(member_id ?? -1);
  return [
    ["id", ({ id }) => id],
    ["at", ({ at }) => at],
    ["actor", ({ actor }) => actor],
    ["action", (event) => event.action],
    ["what", (event) => action(event.action)],
    ["member_id", ({ member_id }) => member_id],
    ["dag_id", (event) => member(event)?.dag_id],
    ["run_id", (event) => member(event)?.run_id],
    ["detail", said],
  ];
}

/** How a file of this rerun begins. */
export function fileName({ id }: Pick<Rerun, "id">, what: "members" | "events"): string {
  return `rerun-${id}-${what}`;
}

function durationOf({ dispatched_at: start, ended_at: end }: Member): number | null {
  return start === null || end === null ? null : secondsBetween(start, end, 0);
}

function taskName(task: Member["task_ids"][number]): string {
  return typeof task === "string" ? task : `${task.task_id}[${task.map_index}]`;
}
