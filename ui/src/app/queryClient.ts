import { QueryClient } from "@tanstack/react-query";

import { asProblem, mayPass } from "../api/problem";

/** Milliseconds after which a server is asked again that had too much to do, as it says itself. */
const BUSY = 5000;

/** The longest pause before a question is asked again. */
const LONGEST = 60_000;

const TRIES = 3;

function delayOf(failures: number, error: unknown): number {
  const problem = asProblem(error);
  const usual = problem?.reason === "busy" ? BUSY : 1000 * 2 ** failures;
  return Math.min(problem?.askAgainAfter ?? usual, LONGEST);
}

/**
 * What the server has refused isn't asked again; what got no answer is, and what it had no time for. An order is never
 * given twice: nobody knows whether it has been carried out.
 */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => {
          const problem = asProblem(error);
          return problem !== undefined && mayPass(problem) && failures < TRIES;
        },
        retryDelay: delayOf,
        refetchOnWindowFocus: false,
        staleTime: 1000,
        // Airflow may be on a machine that the browser reaches although it believes to be offline.
        networkMode: "always",
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
