import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";

import { type FollowedRuns, useLiveRuns } from "../../../api/live";
import type { Live, Member } from "../../../api/types";

/** Milliseconds in which rows come into sight together. */
const TOGETHER = 100;

const NOBODY: readonly number[] = [];

interface Watched extends FollowedRuns {
  /** Asks for a member's run from now on; answers what ends that. */
  watch: (memberId: number) => () => void;
}

export const LiveRunsContext = createContext<Watched>({
  runs: {},
  error: null,
  refetch: () => undefined,
  watch: () => () => undefined,
});

interface LiveRunsProviderProps {
  rerunId: number;
  /** When this is another one, the members have changed, and their runs may have. */
  seen: string;
  /** Milliseconds between two looks. */
  every?: number;
  /** Members that are asked about although nobody looks at them. */
  always?: readonly number[];
  children: ReactNode;
}

/** Follows what Airflow says of the runs that are in sight: that isn't part of the record, and there may be thousands. */
export function LiveRunsProvider({ rerunId, seen, every, always = NOBODY, children }: LiveRunsProviderProps) {
  const counts = useRef(new Map<number, number>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [members, setMembers] = useState<readonly number[]>([]);
  const watch = useCallback((memberId: number) => {
    const count = (by: number) => {
      const found = (counts.current.get(memberId) ?? 0) + by;
      if (found > 0) {
        counts.current.set(memberId, found);
      } else {
        counts.current.delete(memberId);
      }
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        setMembers([...counts.current.keys()].sort((one, other) => one - other));
      }, TOGETHER);
    };
    count(1);
    return () => count(-1);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  const asked = useMemo(
    () => [...new Set([...always, ...members])].sort((one, other) => one - other),
    [always, members],
  );
  const { runs, error, refetch } = useLiveRuns(rerunId, asked, seen, every);
  const watched = useMemo(() => ({ runs, error, refetch, watch }), [runs, error, refetch, watch]);
  return <LiveRunsContext.Provider value={watched}>{children}</LiveRunsContext.Provider>;
}

/** What Airflow says of a member's run at this moment; until it has been asked, what it said last. */
export function useLiveRun(member: Member): Live {
  const { runs, watch } = useContext(LiveRunsContext);
  useEffect(() => watch(member.id), [watch, member.id]);
  return runs[member.id] ?? member.live;
}
