/** What a record's events tell. */

import type { RerunEvent } from "../../../api/types";

const STATE_CHANGES = /^(approve|reject|pause|resume|terminate|rerun_\w+)$/;

/** Whether it is about the rerun as a whole: where it stands, or what somebody wants of it. */
export function changesState({ action, member_id }: RerunEvent): boolean {
  return member_id === null && (STATE_CHANGES.test(action) || action === "release");
}

/** The event that brought the rerun to where it stands; undefined: it stands as it was submitted. */
export function stateSince(events: readonly RerunEvent[]): RerunEvent | undefined {
  return events.findLast(({ action, member_id }) => member_id === null && STATE_CHANGES.test(action));
}

/** Whether something happened by itself, not by a person's hand. */
export function byItself({ actor }: RerunEvent): boolean {
  return actor === "rerun_downstream";
}
