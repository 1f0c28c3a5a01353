import type { PlanRun } from "../../../api/types";
import { RunLink } from "../../../ui/AirflowLink";
import { Time } from "../../../ui/Time";
import { useNames } from "../../../ui/names";

type Named = Pick<PlanRun, "dag_id" | "run_id" | "logical_date" | "partition_key" | "run_after" | "next">;

/** The run's id as a link to its page; which run to come it is, where there is none yet. */
export function RunCell({ run }: { run: Partial<Named> & { dag_id: string } }) {
  const { plannedName } = useNames();
  return run.run_id ? (
    <RunLink dagId={run.dag_id} runId={run.run_id} title={run.run_id} display="inline" />
  ) : (
    <em>{plannedName(run)}</em>
  );
}

/** When a run is, or was, ready; of one to come which it is. */
export function RunMoment({ run }: { run: Named }) {
  const { plannedName } = useNames();
  return run.run_after ? <Time value={run.run_after} /> : <em>{plannedName(run)}</em>;
}
