import { useMemo } from "react";

import { usePreferences } from "../../../host/preferences";
import type { PlanRun } from "../../../api/types";
import { RunLink } from "../../../ui/AirflowLink";
import { Time } from "../../../ui/Time";
import { shownDate } from "../../../domain/dates";
import { useWords } from "../../../i18n/words";

type Named = Pick<PlanRun, "dag_id" | "run_id" | "logical_date" | "partition_key" | "run_after" | "next">;

/** Gives runs short names in words: their id, or which run to come they are. */
export function useRunName() {
  const { t } = useWords();
  const { timeZone } = usePreferences();
  return useMemo(
    () =>
      (run: Partial<Named>): string => {
        if (run.run_id) {
          return run.run_id;
        }
        if (run.partition_key) {
          return t("wizard:run.partition", { key: run.partition_key });
        }
        return run.logical_date
          ? t("wizard:run.toCome", { date: shownDate(run.logical_date, timeZone) })
          : run.next
            ? t("wizard:run.next")
            : t("wizard:run.unknown");
      },
    [t, timeZone],
  );
}

/** The run's id as a link to its page; which run to come it is, where there is none yet. */
export function RunCell({ run }: { run: Partial<Named> & { dag_id: string } }) {
  const nameOf = useRunName();
  return run.run_id ? (
    <RunLink dagId={run.dag_id} runId={run.run_id} title={run.run_id} display="inline" />
  ) : (
    <em>{nameOf(run)}</em>
  );
}

/** When a run is, or was, ready; of one to come which it is. */
export function RunMoment({ run }: { run: Named }) {
  const nameOf = useRunName();
  return run.run_after ? <Time value={run.run_after} /> : <em>{nameOf(run)}</em>;
}
