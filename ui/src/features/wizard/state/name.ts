/** The name that a rerun gets if its person gives it no other. */

import { usePreferences } from "../../../host/Host";
import { shownDate } from "../../../domain/dates";
import { useWords } from "../../../i18n/words";
import { useWizard } from "./context";
import { selection } from "./plan";
import { useDraft } from "./store";

/** As many characters as the record takes. */
export const LONGEST_NAME = 500;

/** What the rerun is of: the source's Dag, its day where the person is, and how many runs come along; empty: no plan yet. */
export function useProposedName(): string {
  const { t } = useWords();
  const { timeZone } = usePreferences();
  const { index, store } = useWizard();
  const count = useDraft(store, (draft) => {
    const taken = index && selection(index, draft);
    return taken ? taken.rerun.length + taken.stop.length : 0;
  });
  if (index === undefined) {
    return "";
  }
  const { dag_id: dag, logical_date, run_after, partition_key } = index.plan.source;
  const moment = logical_date ?? run_after;
  const when = partition_key ?? (moment ? shownDate(moment, timeZone).slice(0, 10) : "");
  const run = [dag, when].filter(Boolean).join(" ");
  return (count > 0 ? t("wizard:settings.proposedName", { run, count }) : run).slice(0, LONGEST_NAME);
}

/** The name that was typed, or else the proposed one; null: the person wants none. */
export function nameOf(typed: string | null, proposed: string): string | null {
  return (typed ?? proposed).trim() || null;
}
