import type { Rerun } from "../../../api/types";

/** What it is called when the user ends a proposal: their own is withdrawn, whether they may approve it or not. */
export function rejectionOf({ may_withdraw: own }: Rerun): "reject" | "withdraw" {
  return own ? "withdraw" : "reject";
}
