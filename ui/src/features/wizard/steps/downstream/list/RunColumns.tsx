import { Button, chakra, HStack, Text, VisuallyHidden } from "@chakra-ui/react";
import type { ColumnDef, Row } from "@tanstack/react-table";
import { useMemo } from "react";
import { MdChevronRight, MdExpandMore } from "react-icons/md";

import { StatusBadge } from "../../../../../ui/StateBadge";
import { NameAndId } from "../../../../../ui/dagNames";
import { Time } from "../../../../../ui/Time";
import { useWords } from "../../../../../i18n/words";
import { useChoosingRuns } from "../../../state/choosing";
import { useWizard } from "../../../state/context";
import { RunCell } from "../../../parts/names";
import { isTaken, wayOf } from "../../../state/plan";
import type { ListRow } from "../../../state/rows";
import { RunTick, TasksButton, Wayword } from "../../../parts/RunParts";
import { useDraft } from "../../../state/store";
import { Tick } from "../../../../../ui/Tick";

/** The columns of the list; a row draws itself again when its own run changes, the table doesn't. */
export function useRunColumns(): ColumnDef<ListRow>[] {
  const { t, word, list } = useWords();
  return useMemo<ColumnDef<ListRow>[]>(
    () => [
      {
        id: "taken",
        meta: { width: 2.75 },
        header: () => <VisuallyHidden>{t("wizard:list.column")}</VisuallyHidden>,
        enableSorting: false,
        cell: ({ row: { original } }) => (original.run ? <RunTick run={original.run} /> : <GroupTick row={original} />),
      },
      {
        id: "dag",
        meta: { width: 11 },
        header: t("word.dag"),
        accessorFn: (row) => row.dagId,
        cell: ({ row }) => <DagCell row={row} />,
      },
      {
        id: "run",
        meta: { width: 11 },
        header: t("word.dagRun"),
        accessorFn: (row) => row.run?.run_id ?? "",
        cell: ({ row: { original } }) => original.run && <RunCell run={original.run} />,
      },
      {
        id: "runAfter",
        meta: { width: 10.5 },
        header: t("word.runAfter"),
        accessorFn: (row) => row.run?.run_after ?? "",
        cell: ({ row: { original } }) => original.run && <Time value={original.run.run_after} />,
      },
      {
        id: "status",
        meta: { width: 7 },
        header: t("word.status"),
        accessorFn: (row) => row.run?.status ?? "",
        cell: ({ row: { original } }) => original.run && <StatusBadge status={original.run.status} size="sm" />,
      },
      {
        id: "tasks",
        meta: { width: 7.5 },
        header: t("word.tasks"),
        enableSorting: false,
        cell: ({ row: { original } }) => original.run?.exists && <TasksButton run={original.run} />,
      },
      {
        id: "what",
        meta: { width: 13 },
        header: t("wizard:list.what"),
        enableSorting: false,
        cell: ({ row: { original } }) => original.run && <What row={original} />,
      },
      {
        id: "level",
        meta: { width: 4.5 },
        header: t("word.level"),
        accessorFn: (row) => row.level,
        cell: ({ row }) => row.original.run && row.original.level,
      },
      {
        id: "reached",
        meta: { width: 7.5 },
        header: t("wizard:list.reached"),
        accessorFn: (row) => row.kinds.join(),
        cell: ({ row: { original } }) => list(original.kinds.map((kind) => word("linkKind", kind))),
      },
    ],
    [t, word, list],
  );
}

const Expander = chakra("button", {
  base: { display: "inline-flex", alignItems: "center", gap: 1, cursor: "pointer", fontWeight: "semibold" },
});

function DagCell({ row }: { row: Row<ListRow> }) {
  const { t } = useWords();
  const { original } = row;
  if (original.run) {
    return (
      <Text as="span" fontWeight="medium" ps={row.depth > 0 ? 5 : 0}>
        <NameAndId name={original.run.dag_display_name} id={original.dagId} />
      </Text>
    );
  }
  const open = row.getIsExpanded();
  const name = original.id.startsWith("level ")
    ? t("wizard:list.level", { level: original.group })
    : (original.group ?? "");
  return (
    <HStack>
      <Expander type="button" aria-expanded={open} onClick={() => row.toggleExpanded()}>
        {open ? <MdExpandMore aria-hidden="true" /> : <MdChevronRight aria-hidden="true" />}
        {name}
      </Expander>
      <Text color="fg.muted">{t("count.runs", { count: original.subRows?.length ?? 0 })}</Text>
    </HStack>
  );
}

/** Takes all runs of a group that can be taken, or leaves them out. */
function GroupTick({ row }: { row: ListRow }) {
  const { t } = useWords();
  const { store } = useWizard();
  const state = useDraft(store, (draft) => {
    let [possible, taken] = [0, 0];
    for (const { run } of row.subRows ?? []) {
      if (run && wayOf(run, draft.freezeMode) !== null) {
        possible += 1;
        taken += isTaken(run, draft) ? 1 : 0;
      }
    }
    return possible === 0 ? "impossible" : taken === 0 ? "none" : taken === possible ? "all" : "some";
  });
  const tick = (wanted: boolean) => {
    const { freezeMode } = store.get();
    const keys = (row.subRows ?? []).filter(({ run }) => run && wayOf(run, freezeMode) !== null).map(({ id }) => id);
    store.dispatch({ type: "take", keys, taken: wanted });
  };
  return (
    <Tick
      label={t("wizard:list.selectGroup", { group: row.group })}
      checked={state === "all"}
      partly={state === "some"}
      disabled={state === "impossible"}
      onTick={tick}
    />
  );
}

function What({ row }: { row: ListRow }) {
  const { t } = useWords();
  const { setCurrent } = useChoosingRuns();
  return (
    <HStack justify="space-between">
      <Text color="fg.muted" truncate>
        {row.run && <Wayword run={row.run} />}
      </Text>
      <Button size="2xs" variant="ghost" onClick={() => setCurrent(row.id)}>
        {t("wizard:list.details")}
      </Button>
    </HStack>
  );
}
