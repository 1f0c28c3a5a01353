/** One hook for each question that pages ask of the server. Errors are `Problem`s. */

import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";

import { api, data, everything } from "./client";
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

/** All members of a rerun. `live`: they are looked at often; afterwards now and then, for how their runs are today. */
export function useMembers(id: number, live: boolean) {
  return useQuery({
    queryKey: ["members", id],
    queryFn: ({ signal }) =>
      everything<Member>(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset } };
        const page = await data(api.GET("/api/v1/reruns/{rerun_id}/members", { params, signal }));
        return { items: page.members, total: page.total_entries };
      }),
    refetchInterval: (query) =>
      Math.max(live ? LIVE : STEADY, (query.state.data?.length ?? 0) * (live ? 5 : 20)),
  });
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
