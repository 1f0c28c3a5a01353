import { hasEnded } from "../api/reruns";
import type { Rerun } from "../api/types";
import { secondsBetween, shownDuration } from "../domain/dates";
import { useClock } from "./useClock";

/** How long a rerun has taken; it counts on while the rerun does. */
export function RerunDuration({ rerun }: { rerun: Rerun }) {
  const now = useClock(!hasEnded(rerun) && rerun.ended_at === null);
  return <>{shownDuration(secondsBetween(rerun.started_at ?? rerun.created_at, rerun.ended_at, now))}</>;
}
