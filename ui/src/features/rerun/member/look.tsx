import { createContext, useCallback, useContext } from "react";

import type { LiveRuns } from "../../../api/live";
import type { Member } from "../../../api/types";
import { MemberBadge, type MemberLook } from "../../../ui/StateBadge";
import { LiveRunsContext } from "./LiveRuns";

/** The members that count as right although they have left something as it was. */
export interface Left {
  ids: ReadonlySet<number>;
  /** Without it, others may have as well. */
  known: boolean;
}

export const LeftContext = createContext<Left>({ ids: new Set(), known: true });

/** So many running members are asked about, in sight or not, so that they can be told apart and counted. */
const COUNTED = 300;

/** The running members, of which the record tells those that Airflow has only queued. */
export function runningOf(members: readonly Member[]): number[] {
  return members.flatMap(({ id, state }) => (state === "running" ? [id] : [])).slice(0, COUNTED);
}

/** How many running members nobody is asked about, and nobody has in sight: Airflow may have queued them only. */
export function unaskedOf(members: readonly Member[], runs: LiveRuns): number {
  const running = members.filter(({ state }) => state === "running");
  return running.slice(COUNTED).filter(({ id }) => runs[id] === undefined).length;
}

/** What a member's own `live` says is as of its last change, mostly of when it was dispatched: it tells nothing of now. */
export function lookOf({ id, state }: Member, runs: LiveRuns, left: Left): MemberLook {
  if (state === "running" && runs[id]?.state === "queued") {
    return "queued";
  }
  if (state !== "succeeded") {
    return state;
  }
  return left.ids.has(id) ? "partly" : left.known ? state : "unchecked";
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
