/** What is set up around the reruns. Errors are `Problem`s. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./keys";
import { LIVE, WATCH } from "./pace";

export function useNotificationTargets() {
  return useQuery({
    queryKey: keys.notificationTargets,
    queryFn: ({ signal }) => data(api().GET("/api/v1/notification-targets", { signal })),
    staleTime: Infinity,
    // A test that is on its way changes by itself.
    refetchInterval: (query) =>
      query.state.data?.notification_targets.some(({ last_test }) => last_test?.state === "pending") ? LIVE : false,
  });
}

/** Send a target a test; the list of targets has its state. */
export function useTargetTest() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) =>
      data(api().POST("/api/v1/notification-targets/{name}/test", { params: { path: { name } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.notificationTargets }),
  });
}

export function useHealth() {
  return useQuery({
    queryKey: keys.health,
    queryFn: ({ signal }) => data(api().GET("/api/v1/health", { signal })),
    staleTime: 60_000,
  });
}

/**
 * Since when no conductor has looked at the reruns; null: it isn't well, and nobody knows since when; undefined: one
 * looks, or nothing is known. Asked for alone: the other components cost more. What was said while somebody was
 * `watching` says nothing afterwards.
 */
export function useConductorSilence(watching: boolean): string | null | undefined {
  const found = useQuery({
    queryKey: keys.conductor,
    queryFn: ({ signal }) =>
      data(api().GET("/api/v1/health", { params: { query: { component: ["conductor"] } }, signal })),
    enabled: watching,
    refetchInterval: WATCH,
    staleTime: WATCH,
  });
  const conductor = watching && !found.isError ? found.data?.components.conductor : undefined;
  return conductor?.status === "unhealthy" ? (conductor.since ?? null) : undefined;
}
