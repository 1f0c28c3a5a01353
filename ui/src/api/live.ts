/** What Airflow says of the runs of some members at this moment. Errors are `Problem`s. */

import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { api, data } from "./client";
import { keys } from "./keys";
import { PAGE, STEADY } from "./pace";
import type { Live } from "./types";

export type LiveRuns = Readonly<Record<number, Live>>;

interface Answer {
  runs: LiveRuns;
  /** What was asked, and when. */
  question: string;
}

export interface FollowedRuns {
  /** By member: those of which there is an answer. */
  runs: LiveRuns;
  error: unknown;
  refetch: () => unknown;
}

const NONE: LiveRuns = {};

/**
 * Asks about the members, `every` so many milliseconds, and when they or `seen` are others. A question that is under way
 * is never given up for a newer one, which comes after it: where something changes all the time, there would be no answer.
 */
export function useLiveRuns(id: number, members: readonly number[], seen: string, every = STEADY): FollowedRuns {
  const enabled = members.length > 0;
  const question = `${members.join()} ${seen}`;
  const {
    data: answer,
    error,
    failureReason,
    isFetching,
    refetch,
  } = useQuery({
    queryKey: keys.live(id),
    queryFn: async ({ signal }): Promise<Answer> => ({ runs: await ask(id, members, signal), question }),
    structuralSharing: false,
    enabled,
    refetchInterval: every,
    gcTime: STEADY,
  });
  const again = enabled && answer !== undefined && answer.question !== question && !isFetching && error === null;
  useEffect(() => {
    if (again) {
      void refetch({ cancelRefetch: false });
    }
  }, [again, refetch]);
  return { runs: answer?.runs ?? NONE, error: enabled ? (error ?? failureReason) : null, refetch };
}

async function ask(id: number, members: readonly number[], signal: AbortSignal): Promise<LiveRuns> {
  const runs: Record<number, Live> = {};
  for (let at = 0; at < members.length; at += PAGE) {
    const query = { limit: PAGE, member_id: members.slice(at, at + PAGE) };
    const params = { path: { rerun_id: id }, query };
    const page = await data(api().GET("/api/v1/reruns/{rerun_id}/members", { params, signal }));
    page.members.forEach((member) => (runs[member.id] = member.live));
  }
  return runs;
}
