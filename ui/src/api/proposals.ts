/** What becomes of a proposal. Errors are `Problem`s. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./keys";
import { WAITING } from "./pace";
import { lookAgain } from "./reruns";
import type { Rerun } from "./types";

/**
 * What an approval would do now, and what has changed since it was proposed. It takes the server a plan, so it is asked
 * when somebody comes to look or wants to know it again, and not by itself.
 */
export function useProposalReview(id: number) {
  return useQuery({
    queryKey: keys.proposalReview(id),
    queryFn: ({ signal }) =>
      data(api().GET("/api/v1/reruns/{rerun_id}/review", { params: { path: { rerun_id: id } }, signal })),
    staleTime: WAITING,
  });
}

/** Carry it out. `plan_token`: accepts what has changed until that plan; without it, nothing may have changed. */
export function useApproval(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (plan_token: string | null) =>
      data<Rerun>(
        api().POST("/api/v1/reruns/{rerun_id}/approve", { params: { path: { rerun_id: id } }, body: { plan_token } }),
      ),
    onError: () => client.invalidateQueries({ queryKey: keys.proposalReview(id) }),
    onSettled: () => lookAgain(client, id),
  });
}

/** End it, without anything having been done. */
export function useRejection(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string | null) =>
      data<Rerun>(
        api().POST("/api/v1/reruns/{rerun_id}/reject", { params: { path: { rerun_id: id } }, body: { reason } }),
      ),
    onSettled: () => lookAgain(client, id),
  });
}
