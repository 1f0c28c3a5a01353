/** What several people do with a record: comments, whom its Dags belong to, and actions on many members at once. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, data, everything } from "./client";
import { keys } from "./keys";
import { PAGE } from "./pace";
import { lookAgain } from "./reruns";
import type { ChosenMember, MemberResults, Rerun } from "./types";

/** Writes a comment into the record. */
export function useComment(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (text: string) =>
      data<Rerun>(
        api().POST("/api/v1/reruns/{rerun_id}/comment", { params: { path: { rerun_id: id } }, body: { text } }),
      ),
    onSettled: () => lookAgain(client, id),
  });
}

/** The Dags that take part and that the person may read, with their owners and tags as their files say now. */
export function useRerunDags(id: number) {
  return useQuery({
    queryKey: keys.rerunDags(id),
    queryFn: ({ signal }) =>
      everything(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset } };
        const page = await data(api().GET("/api/v1/reruns/{rerun_id}/dags", { params, signal }));
        return { items: page.dags, total: page.total_entries };
      }),
    staleTime: Infinity,
  });
}

export type RepairAction = "retry" | "skip";

/**
 * Retries or skips many members, as they were seen, as many in a request as the server takes. What a request that fails had before it is
 * done, and is in the record; the error says no more than that the others weren't.
 */
export function useRepairs(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ action, chosen }: { action: RepairAction; chosen: readonly ChosenMember[] }) => {
      const found: MemberResults = { members: [], refused: [] };
      for (let at = 0; at < chosen.length; at += PAGE) {
        const members = chosen.slice(at, at + PAGE);
        const part = await data<MemberResults>(
          api().POST(`/api/v1/reruns/{rerun_id}/members/${action}`, {
            params: { path: { rerun_id: id } },
            body: { members },
          }),
        );
        found.members.push(...part.members);
        found.refused.push(...part.refused);
      }
      return found;
    },
    onSettled: () => lookAgain(client, id),
  });
}
