import { createContext, useContext } from "react";

import type { Member, MemberAction, Rerun, RerunAction } from "../../api/types";

/** The parts of a record. */
export type TabName = "graph" | "table" | "timeline" | "left" | "proof" | "events" | "details";

/** What the parts of a record's page share. */
export interface RecordContext {
  rerun: Rerun;
  /** The members that decide when the rerun will be done. */
  critical: ReadonlySet<number>;
  /** Says what an action will do, and does it when the person agrees. */
  askRerun: (action: RerunAction) => void;
  askMember: (member: Member, action: MemberAction) => void;
  /** Shows a part of the record. */
  openTab: (name: TabName) => void;
  /** Shows all about a member. */
  open: (memberId: number) => void;
}

const Context = createContext<RecordContext | null>(null);

export const RecordProvider = Context.Provider;

/** Only inside a record's page. */
export function useRecord(): RecordContext {
  const found = useContext(Context);
  if (found === null) {
    throw new Error("useRecord outside of a record's page");
  }
  return found;
}
