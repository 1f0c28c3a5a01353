import type { Rerun } from "../../../api/types";

/** What it is called when somebody ends a proposal: who may not approve it can only take back their own. */
export function rejectionOf({ allowed_actions: allowed }: Rerun): "reject" | "withdraw" {
  return allowed.includes("approve") ? "reject" : "withdraw";
}
