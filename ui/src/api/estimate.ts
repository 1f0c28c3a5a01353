/** When a rerun is expected to end. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./keys";
import { STEADY } from "./pace";
import type { Estimate, Rerun } from "./types";

/** Members of the critical path that a page marks at most. */
const MARKED = 1000;

/** States in which there is an end to come. */
const GOING: readonly Rerun["state"][] = ["running", "paused", "failed"];

/** Of a rerun that goes on, asked anew now and then, as the server wants it, and when its state is another. */
export function useEstimate({ id, state }: Pick<Rerun, "id" | "state">): Estimate | undefined {
  const going = GOING.includes(state);
  const found = useQuery({
    queryKey: keys.estimate(id, state),
    queryFn: ({ signal }) => {
      const params = { path: { rerun_id: id }, query: { limit: MARKED } };
      return data(api().GET("/api/v1/reruns/{rerun_id}/estimate", { params, signal }));
    },
    enabled: going,
    refetchInterval: (query) =>
      query.state.data ? Math.max(STEADY, 1000 * query.state.data.look_again_after) : STEADY,
    placeholderData: keepPreviousData,
  });
  return going ? found.data : undefined;
}
