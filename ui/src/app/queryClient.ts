import { QueryClient } from "@tanstack/react-query";

import { asProblem } from "../api/problem";

/** Milliseconds after which a server is asked again that had too much to do, as it says itself. */
const BUSY = 5000;

/** What the server has refused isn't asked again; what got no answer is, and what it had no time for. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => ["no_answer", "busy"].includes(asProblem(error)?.reason ?? "") && failures < 3,
        retryDelay: (failures, error) => (asProblem(error)?.reason === "busy" ? BUSY : 1000 * 2 ** failures),
        refetchOnWindowFocus: false,
        staleTime: 1000,
        // Airflow may be on a machine that the browser reaches although it believes to be offline.
        networkMode: "always",
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
