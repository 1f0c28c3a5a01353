import { QueryClient } from "@tanstack/react-query";

import { asProblem } from "./problem";

/** What the server has refused isn't asked again; what got no answer is, at ever longer intervals. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => asProblem(error)?.status === 0 && failures < 3,
        refetchOnWindowFocus: false,
        staleTime: 1000,
        // Airflow may be on a machine that the browser reaches although it believes to be offline.
        networkMode: "always",
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
