import { useMemo } from "react";

import type { EventAction, Member, RerunEvent } from "../../../api/types";
import { ExportButtons } from "../../../ui/ExportButtons";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { eventColumns, fileName } from "./files";

interface ExportEventsProps {
  events: readonly RerunEvent[];
  members: ReadonlyMap<number, Member>;
  /** The words for an action, and for what a line tells besides. */
  action: (word: EventAction) => string;
  detail: (event: RerunEvent) => string;
}

/** Saves the whole record, as far as the person may see it. */
export function ExportEvents({ events, members, action, detail }: ExportEventsProps) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const columns = useMemo(() => eventColumns(members, action, detail), [members, action, detail]);
  const notes = rerun.hidden_members > 0 ? [t("record:export.hiddenLines")] : [];
  return (
    <ExportButtons
      label={t("record:export.events", { count: events.length })}
      file={fileName(rerun, "events")}
      columns={columns}
      read={() => ({ items: events, notes })}
    />
  );
}
