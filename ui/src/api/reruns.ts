/** Reruns and their records, and what a user can do with one. Errors are `Problem`s. */

import { keepPreviousData, type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, data, everything } from "./client";
import { type Followed, look } from "./following";
import { keys } from "./keys";
import { ENDED, LIVE, PAGE, STEADY, WAITING } from "./pace";
import type {
  Member,
  MemberAction,
  MemberActionBody,
  Rerun,
  RerunAction,
  RerunActionBody,
  RerunBody,
  RerunFilters,
} from "./types";

/** Reruns that can't change any more. Which these are is the server's word. */
export function hasEnded(rerun: Pick<Rerun, "final">): boolean {
  return rerun.final;
}

/** Whether a rerun waits for somebody to approve it: nothing of it moves by itself, but that its time runs out. */
export function isProposed({ state }: Pick<Rerun, "state">): boolean {
  return state === "proposed";
}

/** Whether it may have done anything: a proposal that waits, or has ended as one, has touched nothing. */
export function wasCarriedOut({ proposed_by, approved_by }: Pick<Rerun, "proposed_by" | "approved_by">): boolean {
  return proposed_by === null || approved_by !== null;
}

const rests = (rerun: Rerun) => hasEnded(rerun) || isProposed(rerun);

export function useReruns(filters: RerunFilters, options: { enabled?: boolean } = {}) {
  return useQuery({
    queryKey: keys.reruns(filters),
    queryFn: ({ signal }) => data(api().GET("/api/v1/reruns", { params: { query: filters }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.reruns.every(rests) ? STEADY : LIVE),
    ...options,
  });
}

/** How often a list is read that is another one each time. */
const READINGS = 4;

/**
 * Every rerun that matches, the oldest first. What takes several pages is read until two readings have the same reruns:
 * these matched when the second one began, also if others have come or gone meanwhile, on pages that had been read.
 * `changed`: no two readings were the same, so that one may be missing.
 */
export async function everyRerun(filters: RerunFilters): Promise<{ items: Rerun[]; changed: boolean }> {
  let before: string | undefined;
  for (let reading = 1; ; reading++) {
    const { items, moved, pages } = await readReruns(filters);
    const ids = items.map(({ id }) => id).join();
    if (!moved && (pages === 1 || ids === before)) {
      return { items, changed: false };
    }
    if (reading === READINGS) {
      return { items, changed: true };
    }
    before = ids;
  }
}

/**
 * The pages, once: new reruns come at the end. Each page begins with the last rerun of the page before; `moved`: once it
 * didn't, so that one may have been passed over.
 */
async function readReruns(filters: RerunFilters): Promise<{ items: Rerun[]; moved: boolean; pages: number }> {
  const items: Rerun[] = [];
  let moved = false;
  for (let pages = 1; ; pages++) {
    const last = items.at(-1);
    const offset = Math.max(0, items.length - 1);
    const params = { query: { ...filters, order_by: "id" as const, limit: PAGE, offset } };
    const { reruns, total_entries } = await data(api().GET("/api/v1/reruns", { params }));
    moved ||= last !== undefined && reruns[0]?.id !== last.id;
    const fresh = reruns.filter(({ id }) => last === undefined || id > last.id);
    items.push(...fresh);
    if (fresh.length === 0 || offset + reruns.length >= total_entries) {
      return { items, moved, pages };
    }
  }
}

/** Milliseconds until the next look, by rerun, as the server wants it: the more people look, the more. */
const pauses = new Map<number, number>();

/**
 * A rerun with its members and its record, kept up to date: each look asks for what has changed. A look begins some time
 * after the last one has ended. What it says of a member's run in Airflow (`live`) is as of its last change.
 * Undefined: of none. `inBackground`: also while the page isn't in sight. `once`: until all of it is there, or it is refused.
 */
export function useRecord(wanted: number | undefined, { inBackground = false, once = false } = {}) {
  const id = wanted ?? 0;
  return useQuery({
    queryKey: keys.record(id),
    enabled: wanted !== undefined,
    queryFn: async ({ client, queryKey, signal }) => {
      const known = client.getQueryData<Followed>(queryKey);
      const ask = async (since: string | undefined) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, since } };
        const answer = await data(api().GET("/api/v1/reruns/{rerun_id}/changes", { params, signal }));
        pauses.set(id, 1000 * answer.look_again_after);
        if (answer.whole && known?.complete) {
          // What the person may read is another: so it is of everything else.
          void client.invalidateQueries({ queryKey: keys.links(id) });
          void client.invalidateQueries({ queryKey: keys.everyNotMadeAnew(id) });
        }
        return answer;
      };
      return await look(known, ask, (found) => client.setQueryData(queryKey, found));
    },
    structuralSharing: false,
    refetchIntervalInBackground: inBackground,
    refetchInterval: ({ state: { data: known, error } }) => {
      if (once && (known?.complete || error !== null)) {
        return false;
      }
      const pause = pauses.get(id) ?? LIVE;
      return known && hasEnded(known.rerun)
        ? ENDED
        : known && isProposed(known.rerun)
          ? Math.max(WAITING, pause)
          : pause;
    },
  });
}

/** Ask what has changed, since a person has just changed it. */
export function lookAgain(client: QueryClient, id: number) {
  return client.invalidateQueries({ queryKey: keys.record(id) });
}

/** The links as they were at submit: they don't change. */
export function useLinks(id: number) {
  return useQuery({
    queryKey: keys.links(id),
    queryFn: ({ signal }) =>
      everything(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset } };
        const page = await data(api().GET("/api/v1/reruns/{rerun_id}/links", { params, signal }));
        return { items: page.links, total: page.total_entries };
      }),
    staleTime: Infinity,
  });
}

/** What a rerun hasn't made anew. `count` is what the record says of it: another one is another question. */
export function useNotMadeAnew(id: number, count: number, enabled = true) {
  return useQuery({
    queryKey: keys.notMadeAnew(id, count),
    queryFn: ({ signal }) =>
      everything(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset } };
        const page = await data(api().GET("/api/v1/reruns/{rerun_id}/not-made-anew", { params, signal }));
        return { items: page.not_made_anew, total: page.total_entries };
      }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => state.status === "error" && STEADY,
    enabled,
  });
}

/** What targets were told of a rerun, or will be. What is on its way changes by itself. */
export function useNotifications(rerun: Rerun) {
  return useQuery({
    queryKey: keys.notifications(rerun.id),
    queryFn: ({ signal }) =>
      everything(async (offset) => {
        const params = { path: { rerun_id: rerun.id }, query: { limit: PAGE, offset } };
        const page = await data(api().GET("/api/v1/reruns/{rerun_id}/notifications", { params, signal }));
        return { items: page.notifications, total: page.total_entries };
      }),
    enabled: rerun.notifications.length > 0,
    refetchInterval: (query) => {
      const moves = !hasEnded(rerun) || query.state.data?.some(({ state }) => state === "pending");
      return !moves ? ENDED : isProposed(rerun) ? WAITING : STEADY;
    },
  });
}

export function useSubmit() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: RerunBody) => data(api().POST("/api/v1/reruns", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.everyList }),
  });
}

/** What is done without a further word: a proposal is decided on in `proposals.ts`. */
export type PlainAction = Exclude<RerunAction, "approve" | "reject">;

/** Pause, resume, terminate or release a rerun. `seen`: how the person saw it; as something else it is left alone. */
export function useRerunAction(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ action, seen }: { action: PlainAction; seen: RerunActionBody }) =>
      data<Rerun>(
        api().POST(`/api/v1/reruns/{rerun_id}/${action}`, { params: { path: { rerun_id: id } }, body: seen }),
      ),
    onSettled: () => lookAgain(client, id),
  });
}

/** Retry, skip or release one member. `seen`: how the person saw it; as something else it is left alone. */
export function useMemberAction(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ memberId, action, seen }: { memberId: number; action: MemberAction; seen: MemberActionBody }) =>
      data<Member>(
        api().POST(`/api/v1/reruns/{rerun_id}/members/{member_id}/${action}`, {
          params: { path: { rerun_id: id, member_id: memberId } },
          body: seen,
        }),
      ),
    onSettled: () => lookAgain(client, id),
  });
}
