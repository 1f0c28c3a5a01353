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

/** What became of the members that were sent; where a request failed, why, and those of which nothing is known. */
export interface Repaired extends MemberResults {
  error: unknown;
  /** Those of the request that failed, and those after it. Sent once more, they are refused where they were done. */
  rest: readonly ChosenMember[];
}

/**
 * Retries or skips many members, as they were seen, as many in a request as the server takes. A request that fails ends
 * it, and takes nothing away from what those before it had for an answer.
 */
export function useRepairs(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ action, chosen }: { action: RepairAction; chosen: readonly ChosenMember[] }) => {
      const found: Repaired = { members: [], refused: [], error: null, rest: [] };
      for (let at = 0; at < chosen.length; at += PAGE) {
        try {
          const part = await repair(id, action, chosen.slice(at, at + PAGE));
          found.members.push(...part.members);
          found.refused.push(...part.refused);
        } catch (error) {
          return { ...found, error, rest: chosen.slice(at) };
        }
      }
      return found;
    },
    onSettled: () => lookAgain(client, id),
  });
}

function repair(id: number, action: RepairAction, members: ChosenMember[]) {
  const params = { path: { rerun_id: id } };
  return data<MemberResults>(api().POST(`/api/v1/reruns/{rerun_id}/members/${action}`, { params, body: { members } }));
}
