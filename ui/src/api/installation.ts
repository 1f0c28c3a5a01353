/** What is set up around the reruns. Errors are `Problem`s. */

import { useQuery } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./keys";

export function useNotificationTargets() {
  return useQuery({
    queryKey: keys.notificationTargets,
    queryFn: ({ signal }) => data(api().GET("/api/v1/notification-targets", { signal })),
    staleTime: Infinity,
  });
}

export function useHealth() {
  return useQuery({
    queryKey: keys.health,
    queryFn: ({ signal }) => data(api().GET("/api/v1/health", { signal })),
    staleTime: 60_000,
  });
}
