import { Button, Text } from "@chakra-ui/react";
import type { ColumnDef, SortingState } from "@tanstack/react-table";
import { useMemo } from "react";
import { Link } from "react-router";

import { query } from "../../host/parameters";
import type { DagRun } from "../../api/types";
import { AirflowLink, RunLink } from "../../ui/AirflowLink";
import { NameAndId } from "../../ui/dagNames";
import { StatusBadge } from "../../ui/StateBadge";
import { DataTable } from "../../ui/table/DataTable";
import { Time } from "../../ui/Time";
import { useWords } from "../../i18n/words";
import { keyOf } from "../../domain/runName";

interface RunTableProps {
  runs: readonly DagRun[];
  /** As the server has it: a field, with `-` before it for descending. */
  order: string;
  onOrder: (order: string) => void;
  /** Goes with the person into the wizard. */
  taskId: string | undefined;
}

/** Dag runs, each with its way into the wizard, or with why there is none. */
export function RunTable({ runs, order, onOrder, taskId }: RunTableProps) {
  const { t } = useWords();
  const columns = useColumns(taskId);
  const sorting: SortingState = [{ id: order.replace(/^-/, ""), desc: order.startsWith("-") }];
  return (
    <DataTable
      label={t("runs:table")}
      data={runs}
      columns={columns}
      rowId={keyOf}
      sorting={sorting}
      onSorting={([first]) => onOrder(first === undefined ? "-run_after" : `${first.desc ? "-" : ""}${first.id}`)}
      options={{ enableSortingRemoval: false }}
    />
  );
}

function useColumns(taskId: string | undefined): ColumnDef<DagRun>[] {
  const { t, word } = useWords();
  return useMemo(
    () => [
      {
        id: "dag_id",
        accessorKey: "dag_id",
        header: t("word.dag"),
        meta: { name: t("word.dag"), width: 13 },
        cell: ({ row }) => (
          <AirflowLink path={`dags/${encodeURIComponent(row.original.dag_id)}`}>
            <NameAndId name={row.original.dag_display_name} id={row.original.dag_id} />
          </AirflowLink>
        ),
      },
      {
        id: "run_id",
        accessorKey: "run_id",
        header: t("word.runId"),
        meta: { name: t("word.runId"), width: 17 },
        cell: ({ row: { original } }) => (
          <>
            <RunLink dagId={original.dag_id} runId={original.run_id ?? ""} />
            {original.note && (
              <Text as="span" color="fg.muted" fontSize="xs">
                {" "}
                {original.note}
              </Text>
            )}
          </>
        ),
      },
      {
        id: "state",
        accessorKey: "state",
        header: t("word.status"),
        meta: { name: t("word.status"), width: 7.5 },
        cell: ({ row }) => <StatusBadge status={row.original.status} />,
      },
      {
        id: "run_type",
        accessorKey: "run_type",
        header: t("word.runType"),
        meta: { name: t("word.runType"), width: 9 },
        cell: ({ row }) => word("runType", row.original.run_type),
      },
      {
        id: "run_after",
        accessorKey: "run_after",
        header: t("word.runAfter"),
        meta: { name: t("word.runAfter"), width: 10.5 },
        cell: ({ row }) => <Time value={row.original.run_after} />,
      },
      {
        id: "logical_date",
        accessorKey: "logical_date",
        header: t("word.logicalDate"),
        meta: { name: t("word.logicalDate"), width: 10.5 },
        cell: ({ row }) => <Time value={row.original.logical_date} />,
      },
      {
        id: "action",
        enableSorting: false,
        header: t("runs:column.action"),
        meta: { width: 10.5, stays: true, wraps: true },
        cell: ({ row }) => <RerunCell run={row.original} taskId={taskId} />,
      },
    ],
    [t, word, taskId],
  );
}

function RerunCell({ run, taskId }: { run: DagRun; taskId: string | undefined }) {
  const { t, word } = useWords();
  const there = `/rerun?${query({ dag_id: run.dag_id, run_id: run.run_id ?? "", task_id: taskId })}`;
  if (!run.can_be_source) {
    const reason = word("reason", run.source_reason);
    return (
      <Text color="fg.muted" fontSize="xs" title={t("runs:refused", { reason })}>
        {reason}
      </Text>
    );
  }
  return (
    <Button asChild size="xs" colorPalette="brand" variant="outline">
      <Link to={there} aria-label={t("runs:rerun", { dag: run.dag_id, run: run.run_id })}>
        {t("action.rerunDownstream")}
      </Link>
    </Button>
  );
}
