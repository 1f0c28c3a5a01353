/** Dag runs, their tasks, and what stands around a Dag. Errors are `Problem`s. */

import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./keys";
import { STEADY } from "./pace";
import type { DagRunFilters, RunRef } from "./types";

export function useDagRuns(filters: DagRunFilters, options: { enabled?: boolean } = {}) {
  return useQuery({
    queryKey: keys.dagRuns(filters),
    queryFn: ({ signal }) => data(api().GET("/api/v1/dag-runs", { params: { query: filters }, signal })),
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
    queryKey: keys.sourcesSince,
    queryFn: ({ signal }) => data(api().GET("/api/v1/dag-runs", { params: { query: { limit: 0 } }, signal })),
    select: (runs) => runs.source_ready_since,
    staleTime: Infinity,
  }).data;
}

/** `every`: milliseconds between two looks; without it there is one. */
export function useTaskInstances(run: RunRef | undefined, every?: number) {
  return useQuery({
    queryKey: keys.taskInstances(run),
    queryFn:
      run === undefined
        ? skipToken
        : ({ signal }) =>
            data(api().GET("/api/v1/dag-runs/{dag_id}/{run_id}/task-instances", { params: { path: run }, signal })),
    staleTime: STEADY,
    refetchInterval: every,
  });
}

/** What is upstream and downstream of a Dag, by what the Dags define. */
export function useDagEdges(dagId: string) {
  return useQuery({
    queryKey: keys.dagEdges(dagId),
    queryFn: ({ signal }) =>
      data(api().GET("/api/v1/dags/{dag_id}/edges", { params: { path: { dag_id: dagId } }, signal })),
    staleTime: STEADY,
  });
}
