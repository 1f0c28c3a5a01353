/** Reruns and their records, and what a user can do with one. Errors are `Problem`s. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, data, everything } from "./client";
import { keys } from "./keys";
import { lookAgain } from "./members";
import { LIVE, PAGE, STEADY } from "./pace";
import type { Rerun, RerunAction, RerunBody, RerunEvent, RerunFilters } from "./types";

/** Reruns that can't change any more. Which these are is the server's word. */
export function hasEnded(rerun: Pick<Rerun, "final">): boolean {
  return rerun.final;
}

export function useReruns(filters: RerunFilters, options: { enabled?: boolean } = {}) {
  return useQuery({
    queryKey: keys.reruns(filters),
    queryFn: ({ signal }) => data(api().GET("/api/v1/reruns", { params: { query: filters }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.reruns.every(hasEnded) ? STEADY : LIVE),
    ...options,
  });
}

export function useRerun(id: number) {
  return useQuery({
    queryKey: keys.rerun(id),
    queryFn: ({ signal }) =>
      data(api().GET("/api/v1/reruns/{rerun_id}", { params: { path: { rerun_id: id } }, signal })),
    refetchInterval: (query) => (query.state.data && hasEnded(query.state.data) ? false : LIVE),
  });
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
export function useNotMadeAnew(id: number, count: number) {
  return useQuery({
    queryKey: keys.notMadeAnew(id, count),
    queryFn: ({ signal }) =>
      everything(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset } };
        const page = await data(api().GET("/api/v1/reruns/{rerun_id}/not-made-anew", { params, signal }));
        return { items: page.not_made_anew, total: page.total_entries };
      }),
    placeholderData: keepPreviousData,
  });
}

/** What has happened to a rerun, oldest first. Lines are only ever added, so that each look asks for the new ones. */
export function useEvents(id: number, live: boolean) {
  return useQuery({
    queryKey: keys.events(id),
    queryFn: async ({ client, queryKey, signal }) => {
      const known = client.getQueryData<RerunEvent[]>(queryKey) ?? [];
      const more = await everything(async (offset) => {
        const params = { path: { rerun_id: id }, query: { limit: PAGE, offset: known.length + offset } };
        const page = await data(api().GET("/api/v1/reruns/{rerun_id}/events", { params, signal }));
        return { items: page.events, total: page.total_entries - known.length };
      });
      return more.length === 0 ? known : [...known, ...more];
    },
    refetchInterval: live ? LIVE : false,
  });
}

export function useSubmit() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: RerunBody) => data(api().POST("/api/v1/reruns", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.everyList }),
  });
}

/** Pause, resume, terminate or release a rerun. */
export function useRerunAction(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: RerunAction) =>
      data<Rerun>(api().POST(`/api/v1/reruns/{rerun_id}/${action}`, { params: { path: { rerun_id: id } } })),
    onSettled: () => lookAgain(client, id),
  });
}
