/** One hook for each question that pages ask of the server. Errors are `Problem`s. */

import { keepPreviousData, type QueryClient, skipToken, useQuery } from "@tanstack/react-query";

import { api, data, everything } from "./client";
import { changedSince, type Followed, merged } from "./following";
import type { DagRunFilters, Member, PlanBody, Rerun, RerunBody, RerunEvent, RerunFilters, RunRef } from "./types";

const PAGE = 100;

/** Milliseconds between two looks at what can change by itself. */
const LIVE = 2000;
const STEADY = 10_000;

/** Reruns that can't change any more. Which these are is the server's word. */
export function hasEnded(rerun: Pick<Rerun, "final">): boolean {
  return rerun.final;
}

export function useDagRuns(filters: DagRunFilters, options: { enabled?: boolean } = {}) {
  return useQuery({
    queryKey: ["dag-runs", filters],
    queryFn: ({ signal }) => data(api.GET("/api/v1/dag-runs", { params: { query: filters }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: STEADY,
    ...options,
  });
}

/**
 * The beginning of the window of source runs; null: there is no limit; undefined: not known yet. It is asked once: where
 * the window moves with the clock, a list that is looked at stays the same one.
 */
export function useSourcesSince(): string | null | undefined {
  return useQuery({
    queryKey: ["sources-since"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/dag-runs", { params: { query: { limit: 0 } }, signal })),
    select: (runs) => runs.source_ready_since,
    staleTime: Infinity,
  }).data;
}

export function useTaskInstances(run: RunRef | undefined) {
  return useQuery({
    queryKey: ["task-instances", run?.dag_id, run?.run_id],
    queryFn:
      run === undefined
        ? skipToken
        : ({ signal }) =>
            data(
              api.GET("/api/v1/dag-runs/{dag_id}/{run_id}/task-instances", { params: { path: run }, signal }),
            ),
    staleTime: STEADY,
  });
}

/** What is upstream and downstream of a Dag, by what the Dags define. */
export function useDagEdges(dagId: string) {
  return useQuery({
    queryKey: ["dag-edges", dagId],
    queryFn: ({ signal }) => data(api.GET("/api/v1/dags/{dag_id}/edges", { params: { path: { dag_id: dagId } }, signal })),
    staleTime: STEADY,
  });
}

/** The preview. It is asked again only when the question changes or somebody wants it: a selection is made from it. */
export function usePlan(body: PlanBody | undefined) {
  return useQuery({
    queryKey: ["plan", body],
    queryFn: body === undefined ? skipToken : ({ signal }) => data(api.POST("/api/v1/plans", { body, signal })),
    staleTime: Infinity,
    gcTime: 30 * 60_000,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** What a submit of this body would do, or why it would be refused. */
export function useReview(body: RerunBody | undefined) {
  return useQuery({
    queryKey: ["review", body],
    queryFn: body === undefined ? skipToken : ({ signal }) => data(api.POST("/api/v1/reviews", { body, signal })),
    placeholderData: keepPreviousData,
    staleTime: 0,
    retry: false,
  });
}

export function useReruns(filters: RerunFilters, options: { enabled?: boolean } = {}) {
  return useQuery({
    queryKey: ["reruns", filters],
    queryFn: ({ signal }) => data(api.GET("/api/v1/reruns", { params: { query: filters }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.reruns.every(hasEnded) ? STEADY : LIVE),
    ...options,
  });
}

export function useRerun(id: number) {
  return useQuery({
    queryKey: ["rerun", id],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/reruns/{rerun_id}", { params: { path: { rerun_id: id } }, signal })),
    refetchInterval: (query) => (query.state.data && hasEnded(query.state.data) ? false : LIVE),
  });
}

/** Milliseconds between two looks at members: the more there are, the rarer. */
const pace = (members: number, live: boolean) => Math.max(live ? LIVE : STEADY, members * (live ? 5 : 20));

/** After so many looks at what may have changed, all members are asked for. */
const LOOKS = 6;

const membersOf = ({ members }: Followed) => members;

/**
 * All members of a rerun. `live`: they are looked at often, for what may have changed; afterwards now and then, for how
 * their runs are today. A look begins when the one before has long ended.
 */
export function useMembers(id: number, live: boolean) {
  return useQuery({
    queryKey: ["members", id],
    queryFn: async ({ client, queryKey, signal }): Promise<Followed> => {
      const page = async (query: { limit: number; offset?: number; member_id?: number[] }) =>
        data(api.GET("/api/v1/reruns/{rerun_id}/members", { params: { path: { rerun_id: id }, query }, signal }));
      const known = client.getQueryData<Followed>(queryKey);
      const events = client.getQueryData<RerunEvent[]>(["events", id]) ?? [];
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
  client.setQueryData<Followed>(["members", id], (known) => known && { ...known, whole: 0 });
  return Promise.all(["rerun", "members", "events"].map((what) => client.invalidateQueries({ queryKey: [what, id] })));
}

/** The links as they were at submit: they don't change. */
export function useLinks(id: number) {
  return useQuery({
    queryKey: ["links", id],
    queryFn: ({ signal }) =>
      everything(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset } };
        const page = await data(api.GET("/api/v1/reruns/{rerun_id}/links", { params, signal }));
        return { items: page.links, total: page.total_entries };
      }),
    staleTime: Infinity,
  });
}

/** What a rerun hasn't made anew. `count` is what the record says of it: another one is another question. */
export function useNotMadeAnew(id: number, count: number) {
  return useQuery({
    queryKey: ["not-made-anew", id, count],
    queryFn: ({ signal }) =>
      everything(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset } };
        const page = await data(api.GET("/api/v1/reruns/{rerun_id}/not-made-anew", { params, signal }));
        return { items: page.not_made_anew, total: page.total_entries };
      }),
    placeholderData: keepPreviousData,
  });
}

/** What has happened to a rerun, oldest first. Lines are only ever added, so that each look asks for the new ones. */
export function useEvents(id: number, live: boolean) {
  return useQuery({
    queryKey: ["events", id],
    queryFn: async ({ client, queryKey, signal }) => {
      const known = client.getQueryData<RerunEvent[]>(queryKey) ?? [];
      const more = await everything(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset: known.length + offset } };
        const page = await data(api.GET("/api/v1/reruns/{rerun_id}/events", { params, signal }));
        return { items: page.events, total: page.total_entries - known.length };
      });
      return more.length === 0 ? known : [...known, ...more];
    },
    refetchInterval: live ? LIVE : false,
  });
}

export function useNotificationTargets() {
  return useQuery({
    queryKey: ["notification-targets"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/notification-targets", { signal })),
    staleTime: Infinity,
  });
}

export function useHealth() {
  return useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/health", { signal })),
    staleTime: 60_000,
  });
}
