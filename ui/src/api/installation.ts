/** What is set up around the reruns. Errors are `Problem`s. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./keys";
import { LIVE } from "./pace";

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
