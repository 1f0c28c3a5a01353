/** One hook for each thing that a person can do. Errors are `Problem`s; what was seen before is asked for again. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, data } from "./client";
import { lookAgain } from "./questions";
import type { Member, Rerun, RerunBody } from "./types";

export type RerunAction = "pause" | "resume" | "terminate" | "release";
export type MemberAction = "retry" | "skip" | "release";

export function useSubmit() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: RerunBody) => data(api.POST("/api/v1/reruns", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["reruns"] }),
  });
}

/** Pause, resume, terminate or release a rerun. */
export function useRerunAction(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: RerunAction) =>
      data<Rerun>(api.POST(`/api/v1/reruns/{rerun_id}/${action}`, { params: { path: { rerun_id: id } } })),
    onSettled: () => lookAgain(client, id),
  });
}

/** Retry, skip or release one member. */
export function useMemberAction(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ memberId, action }: { memberId: number; action: MemberAction }) =>
      data<Member>(
        api.POST(`/api/v1/reruns/{rerun_id}/members/{member_id}/${action}`, {
          params: { path: { rerun_id: id, member_id: memberId } },
        }),
      ),
    onSettled: () => lookAgain(client, id),
  });
}
