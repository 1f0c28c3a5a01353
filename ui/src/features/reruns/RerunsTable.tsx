import { Link as ChakraLink, Text } from "@chakra-ui/react";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";
import { Link } from "react-router";

import { wasCarriedOut } from "../../api/reruns";
import type { Rerun } from "../../api/types";
import { AirflowLink, RunLink } from "../../ui/AirflowLink";
import { RerunBadge } from "../../ui/StateBadge";
import { DataTable } from "../../ui/table/DataTable";
import { Time } from "../../ui/Time";
import { useWords } from "../../i18n/words";
import { ProgressBar } from "../../ui/ProgressBar";
import { RerunDuration } from "../../ui/RerunDuration";
import { useNames } from "../../ui/names";

interface RecordsTableProps {
  reruns: readonly Rerun[];
  order: string;
  onOrder: (order: string) => void;
}

/** Reruns, each with its progress and the way to its record. */
export function RecordsTable({ reruns, order, onOrder }: RecordsTableProps) {
  const { t } = useWords();
  const columns = useColumns();
  return (
    <DataTable
      label={t("record:list.label")}
      data={reruns}
      columns={columns}
      rowId={({ id }) => String(id)}
      sorting={[{ id: order.replace(/^-/, ""), desc: order.startsWith("-") }]}
      onSorting={([first]) => onOrder(first === undefined ? "-id" : `${first.desc ? "-" : ""}${first.id}`)}
      options={{ enableSortingRemoval: false }}
    />
  );
}

function useColumns(): ColumnDef<Rerun>[] {
  const { t } = useWords();
  return useMemo(() => {
    const named = (id: string, name: string, width: number) => ({ id, header: name, meta: { name, width } });
    const sorted = (id: string, name: string, width: number) => ({ ...named(id, name, width), accessorFn: () => id });
    return [
      {
        ...sorted("id", t("record:list.id"), 3.5),
        cell: ({ row }) => <Text color="fg.muted">{row.original.id}</Text>,
      },
      { ...sorted("name", t("word.name"), 12), cell: ({ row }) => <NameCell rerun={row.original} /> },
      {
        ...sorted("dag_id", t("record:list.sourceDag"), 11),
        cell: ({ row }) => <DagCell dagId={row.original.source.dag_id} />,
      },
      {
        ...sorted("run_id", t("record:list.sourceRun"), 14),
        cell: ({ row }) => <RunLink dagId={row.original.source.dag_id} runId={row.original.source.run_id} />,
      },
      {
        ...sorted("state", t("word.state"), 8.5),
        cell: ({ row: { original } }) => (
          <RerunBadge state={original.state} left={original.not_made_anew} data-testid="rerun-state" />
        ),
      },
      {
        ...named("progress", t("record:list.progress"), 14.5),
        enableSorting: false,
        cell: ({ row: { original } }) =>
          wasCarriedOut(original) ? <ProgressBar counts={original.counts} width="13rem" /> : t("none"),
      },
      { ...sorted("created_by", t("word.createdBy"), 7), cell: ({ row }) => row.original.created_by },
      {
        ...sorted("created_at", t("word.createdAt"), 10.5),
        cell: ({ row }) => <Time value={row.original.created_at} />,
      },
      {
        ...named("duration", t("word.duration"), 7),
        enableSorting: false,
        cell: ({ row: { original } }) => (wasCarriedOut(original) ? <RerunDuration rerun={original} /> : t("none")),
      },
    ];
  }, [t]);
}

function DagCell({ dagId }: { dagId: string }) {
  return <AirflowLink path={`dags/${encodeURIComponent(dagId)}`}>{dagId}</AirflowLink>;
}

function NameCell({ rerun }: { rerun: Rerun }) {
  const { rerunName } = useNames();
  return (
    <ChakraLink asChild color="fg.info" fontWeight="medium" display="inline">
      <Link to={`/records/${rerun.id}`}>{rerunName(rerun)}</Link>
    </ChakraLink>
  );
}
