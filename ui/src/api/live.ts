/** What Airflow says of the runs of some members at this moment. Errors are `Problem`s. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./keys";
import { PAGE, STEADY } from "./pace";
import type { Live } from "./types";

export type LiveRuns = Readonly<Record<number, Live>>;

/** By member. `seen`: when that is another one, it is asked again. `every`: milliseconds between two looks. */
export function useLiveRuns(id: number, members: readonly number[], seen: string, every = STEADY): LiveRuns {
  const found = useQuery({
    queryKey: keys.live(id, members, seen),
    queryFn: async ({ signal }) => {
      const runs: Record<number, Live> = {};
      for (let at = 0; at < members.length; at += PAGE) {
        const query = { limit: PAGE, member_id: members.slice(at, at + PAGE) };
        const params = { path: { rerun_id: id }, query };
        const page = await data(api().GET("/api/v1/reruns/{rerun_id}/members", { params, signal }));
        page.members.forEach((member) => (runs[member.id] = member.live));
      }
      return runs;
    },
    enabled: members.length > 0,
    refetchInterval: every,
    placeholderData: keepPreviousData,
    gcTime: STEADY,
  });
  return found.data ?? {};
}
