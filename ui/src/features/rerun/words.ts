import { useMemo } from "react";

import { usePreferences } from "../../host/preferences";
import type { Member, Rerun } from "../../api/types";
import { shownDate } from "../../domain/dates";
import { useWords } from "../../i18n/words";
import type { RunName } from "../../domain/runName";

export type NamedMember = Pick<Member, "run_id" | "logical_date" | "state">;

/** Words that only the records need. */
export function useRecordWords() {
  const { t, word } = useWords();
  const { timeZone } = usePreferences();
  return useMemo(
    () => ({
      /** What a rerun is called. */
      rerunName: ({ id, name }: Pick<Rerun, "id" | "name">) => name || t("record:list.unnamed", { id }),
      /** A member's run; of one that Airflow hasn't made yet, which it will be. */
      runName: ({ run_id, logical_date, state }: NamedMember) => {
        if (run_id !== null) {
          return run_id;
        }
        const name = logical_date
          ? t("record:graph.toComeAt", { date: shownDate(logical_date, timeZone) })
          : t("record:graph.toComeNext");
        return state === "frozen" ? t("record:member.toCome", { name }) : name;
      },
      /** A run that isn't part of the rerun. */
      otherName: (run: RunName) => {
        if (run.run_id) {
          return run.run_id;
        }
        if (run.partition_key) {
          return t("record:graph.partition", { key: run.partition_key });
        }
        if (run.logical_date) {
          return t("record:graph.toComeAt", { date: shownDate(run.logical_date, timeZone) });
        }
        return run.next ? t("record:graph.toComeNext") : t("record:graph.unresolved");
      },
      /** Why a rerun stands where it does: a word of the server, or by whom it was paused or terminated. */
      rerunReason: (reason: string | null) => {
        const [, what, name] = /^(paused|terminated) by (.+)$/s.exec(reason ?? "") ?? [];
        if (what === undefined) {
          return word("reason", reason);
        }
        return what === "paused" ? t("record:header.pausedBy", { name }) : t("record:header.terminatedBy", { name });
      },
    }),
    [t, word, timeZone],
  );
}
