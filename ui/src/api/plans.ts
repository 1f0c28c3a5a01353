/** Plans and reviews: what a rerun would do. Errors are `Problem`s. */

import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";

import { api, data } from "./client";
import { keys } from "./keys";
import type { PlanBody, RerunBody } from "./types";

/** The preview. It is asked again only when the question changes or somebody wants it: a selection is made from it. */
export function usePlan(body: PlanBody | undefined) {
  return useQuery({
    queryKey: keys.plan(body),
    queryFn: body === undefined ? skipToken : ({ signal }) => data(api().POST("/api/v1/plans", { body, signal })),
    staleTime: Infinity,
    gcTime: 30 * 60_000,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** What a submit of this body would do, or why it would be refused. */
export function useReview(body: RerunBody | undefined) {
  return useQuery({
    queryKey: keys.review(body),
    queryFn: body === undefined ? skipToken : ({ signal }) => data(api().POST("/api/v1/reviews", { body, signal })),
    placeholderData: keepPreviousData,
    staleTime: 0,
    retry: false,
  });
}
