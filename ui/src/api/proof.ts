/** The proof of a rerun: as everything stands now, and as a file. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { host } from "../host/Host";
import { apiRoot } from "../host/paths";
import { api, data } from "./client";
import { keys } from "./keys";
import type { Proof, Rerun } from "./types";

/** Findings that a page shows at most, the gravest first; and those that a file has. */
export const SHOWN = 10_000;
export const IN_FILE = 100_000;

/** Milliseconds for which a proof counts as one of now. It is worked out over the whole rerun, so nobody asks often. */
const FRESH = 30_000;

/** Asked for anew when the rerun has moved, or by `refetch`. */
export function useProof({ id, state, ended_at }: Pick<Rerun, "id" | "state" | "ended_at">) {
  return useQuery({
    queryKey: keys.proof(id, `${state} ${ended_at ?? ""}`),
    queryFn: async ({ signal }) => {
      const params = { path: { rerun_id: id }, query: { limit: SHOWN, format: "json" } } as const;
      // The contract allows text, too: that is the CSV.
      return (await data(api().GET("/api/v1/reruns/{rerun_id}/proof", { params, signal }))) as Proof;
    },
    staleTime: FRESH,
    placeholderData: keepPreviousData,
  });
}

export type FileFormat = "json" | "csv";

/** Where a proof is to be had as a file, and what that is called. */
export function proofFile(id: number, format: FileFormat): { url: string; name: string } {
  return {
    url: `${apiRoot(host())}/api/v1/reruns/${id}/proof?format=${format}&limit=${IN_FILE}`,
    name: `rerun-${id}-proof.${format}`,
  };
}
