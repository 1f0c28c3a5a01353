/** The members of a rerun, and what a user can do with one. Errors are `Problem`s. */

import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, data, everything } from "./client";
import { changedSince, type Followed, merged } from "./following";
import { keys } from "./keys";
import { LOOKS, pace, PAGE } from "./pace";
import type { Member, MemberAction, RerunEvent } from "./types";

const membersOf = ({ members }: Followed) => members;

/**
 * All members of a rerun. `live`: they are looked at often, for what may have changed; afterwards now and then, for how
 * their runs are today. A look begins when the one before has long ended.
 */
export function useMembers(id: number, live: boolean) {
  return useQuery({
    queryKey: keys.members(id),
    queryFn: async ({ client, queryKey, signal }): Promise<Followed> => {
      const page = async (query: { limit: number; offset?: number; member_id?: number[] }) =>
        data(api().GET("/api/v1/reruns/{rerun_id}/members", { params: { path: { rerun_id: id }, query }, signal }));
      const known = client.getQueryData<Followed>(queryKey);
      const events = client.getQueryData<RerunEvent[]>(keys.events(id)) ?? [];
      const lines = events.length;
      if (live && known !== undefined) {
        const wait = LOOKS * pace(known.members.length, live);
        const ids = changedSince(known, events, { now: Date.now(), wait, most: PAGE });
        const fresh = ids?.length ? (await page({ limit: PAGE, member_id: ids })).members : [];
        const members = ids && merged(known.members, fresh);
        if (members !== undefined) {
          return { ...known, members, lines };
        }
      }
      const members = await everything<Member>(async (offset) => {
        const found = await page({ limit: PAGE, offset });
        return { items: found.members, total: found.total_entries };
      });
      return { members, lines, whole: Date.now() };
    },
    select: membersOf,
    refetchInterval: (query) => pace(query.state.data?.members.length ?? 0, live),
  });
}

/** Ask for everything about a rerun again, since a person has just changed it. */
export function lookAgain(client: QueryClient, id: number) {
  client.setQueryData<Followed>(keys.members(id), (known) => known && { ...known, whole: 0 });
  return Promise.all(
    [keys.rerun(id), keys.members(id), keys.events(id)].map((queryKey) => client.invalidateQueries({ queryKey })),
  );
}

/** Retry, skip or release one member. */
export function useMemberAction(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ memberId, action }: { memberId: number; action: MemberAction }) =>
      data<Member>(
        api().POST(`/api/v1/reruns/{rerun_id}/members/{member_id}/${action}`, {
          params: { path: { rerun_id: id, member_id: memberId } },
        }),
      ),
    onSettled: () => lookAgain(client, id),
  });
}
