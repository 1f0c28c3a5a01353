/** What runs and reruns are called on every page. */

import { useMemo } from "react";

import type { Member, Rerun } from "../api/types";
import { shownDate } from "../domain/dates";
import type { RunName } from "../domain/runName";
import { usePreferences } from "../host/Host";
import { useWords } from "../i18n/words";

export type NamedMember = Pick<Member, "run_id" | "logical_date" | "state">;

/** Names in the user's language and time zone. They change with these two only. */
export function useNames() {
  const { t } = useWords();
  const { timeZone } = usePreferences();
  return useMemo(() => {
    /** A run's id; of one that Airflow hasn't made yet, which it will be. */
    const runName = (run: Omit<RunName, "dag_id">): string => {
      if (run.run_id) {
        return run.run_id;
      }
      if (run.partition_key) {
        return t("run.partition", { key: run.partition_key });
      }
      if (run.logical_date) {
        return t("run.at", { date: shownDate(run.logical_date, timeZone) });
      }
      return run.next ? t("run.next") : t("run.unknown");
    };
    /** The same, where runs that exist and runs to come stand side by side. */
    const plannedName = (run: Omit<RunName, "dag_id">): string => {
      const known = run.partition_key ?? run.logical_date ?? run.next;
      return run.run_id || !known ? runName(run) : t("run.toCome", { name: runName(run) });
    };
    /** A member's run. */
    const memberName = ({ state, ...run }: NamedMember): string => {
      const named = { ...run, next: true };
      return state === "frozen" ? plannedName(named) : runName(named);
    };
    const rerunName = ({ id, name }: Pick<Rerun, "id" | "name">): string => name || t("record:list.unnamed", { id });
    return { runName, plannedName, memberName, rerunName };
  }, [t, timeZone]);
}
