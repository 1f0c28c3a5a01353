/** How a person saw what an action is about, and what has happened to it since. */

import type { Member, MemberActionBody, Rerun, RerunActionBody, RerunEvent } from "../../../api/types";
import { changesState } from "../events/events";

/** What a dialog showed when it was opened. */
export interface Seen {
  state: Rerun["state"];
  attempt: number | undefined;
  line: number | undefined;
}

export function seenNow(rerun: Rerun, member: Member | undefined, events: readonly RerunEvent[]): Seen {
  return { state: rerun.state, attempt: member?.attempt, line: events.at(-1)?.id };
}

export function rerunSeen({ state, line }: Seen): RerunActionBody {
  return { state, last_event: line };
}

export function memberSeen({ attempt, line }: Seen): MemberActionBody {
  return { attempt, last_event: line };
}

/** What has happened since to the member, or to the state of the rerun: the rule is the server's. */
export function eventsSince(seen: Seen, member: Member | undefined, events: readonly RerunEvent[]): RerunEvent[] {
  return events.filter(
    (event) =>
      event.id > (seen.line ?? 0) && (member === undefined ? changesState(event) : event.member_id === member.id),
  );
}

/** Whether it is another one than the person saw. `member`: as it is now. */
export function hasChanged(
  seen: Seen,
  rerun: Rerun,
  member: Member | undefined,
  events: readonly RerunEvent[],
): boolean {
  return (
    eventsSince(seen, member, events).length > 0 ||
    (member === undefined ? rerun.state !== seen.state : member.attempt !== seen.attempt)
  );
}
