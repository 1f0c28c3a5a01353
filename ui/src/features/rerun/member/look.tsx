import { createContext, useCallback, useContext } from "react";

import type { LiveRuns } from "../../../api/live";
import type { Member } from "../../../api/types";
import { MemberBadge, type MemberLook } from "../../../ui/StateBadge";
import { LiveRunsContext } from "./LiveRuns";

/** The members that count as right although they have left something as it was. */
export const LeftContext = createContext<ReadonlySet<number>>(new Set());

/** So many running members are asked about, in sight or not, so that they can be told apart and counted. */
const COUNTED = 300;

/** The running members, of which the record tells those that Airflow has only queued. */
export function runningOf(members: readonly Member[]): number[] {
  return members.flatMap(({ id, state }) => (state === "running" ? [id] : [])).slice(0, COUNTED);
}

export function lookOf({ id, state, live }: Member, runs: LiveRuns, left: ReadonlySet<number>): MemberLook {
  if (state === "running" && (runs[id] ?? live).state === "queued") {
    return "queued";
  }
  return state === "succeeded" && left.has(id) ? "partly" : state;
}

/** How each member is to be shown, by what Airflow has said last. */
export function useLook(): (member: Member) => MemberLook {
  const { runs } = useContext(LiveRunsContext);
  const left = useContext(LeftContext);
  return useCallback((member) => lookOf(member, runs, left), [runs, left]);
}

/** Where a member stands. */
export function MemberStanding({ member, ...rest }: { member: Member; "data-testid"?: string }) {
  return <MemberBadge look={useLook()(member)} {...rest} />;
}
