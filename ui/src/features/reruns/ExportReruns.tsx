import { everyRerun } from "../../api/reruns";
import type { Rerun } from "../../api/types";
import type { Column } from "../../domain/files/csv";
import { useWords } from "../../i18n/words";
import { ExportButtons } from "../../ui/ExportButtons";
import { filtersOf, type RecordsView } from "./query";

const COLUMNS: Column<Rerun>[] = [
  ["id", ({ id }) => id],
  ["name", ({ name }) => name],
  ["reason", ({ reason }) => reason],
  ["state", ({ state }) => state],
  ["state_reason", ({ state_reason }) => state_reason],
  ["source_dag_id", ({ source }) => source.dag_id],
  ["source_run_id", ({ source }) => source.run_id],
  ["freeze_mode", ({ freeze_mode }) => freeze_mode],
  ["created_by", ({ created_by }) => created_by],
  ["created_at", ({ created_at }) => created_at],
  ["started_at", ({ started_at }) => started_at],
  ["ended_at", ({ ended_at }) => ended_at],
  ["proposed_by", ({ proposed_by }) => proposed_by],
  ["succeeded", ({ counts }) => counts.succeeded],
  ["failed", ({ counts }) => counts.failed],
  ["running", ({ counts }) => counts.running],
  ["pending", ({ counts }) => counts.pending],
  ["skipped", ({ counts }) => counts.skipped],
  ["terminated", ({ counts }) => counts.terminated],
  ["stopping", ({ counts }) => counts.stopping],
  ["frozen", ({ counts }) => counts.frozen],
  ["released", ({ counts }) => counts.released],
  ["not_made_anew", ({ not_made_anew }) => not_made_anew],
  ["hidden_members", ({ hidden_members }) => hidden_members],
];

/** Saves every rerun that matches, not only those of the page that is shown. */
export function ExportReruns({ view, total }: { view: RecordsView; total: number }) {
  const { t } = useWords();
  const read = async () => {
    const { items, changed } = await everyRerun(filtersOf(view));
    return { items, notes: changed ? [t("record:export.changed")] : [] };
  };
  return (
    <ExportButtons
      label={t("record:export.reruns", { count: total })}
      file="reruns"
      columns={COLUMNS}
      read={read}
      disabled={total === 0}
    />
  );
}
