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
    const named = (id: string, name: string) => ({ id, header: name, meta: { name } });
    const sorted = (id: string, name: string) => ({ ...named(id, name), accessorFn: () => id });
    return [
      {
        ...sorted("id", t("record:list.id")),
        cell: ({ row }) => <Text color="fg.muted">{row.original.id}</Text>,
      },
      { ...sorted("name", t("word.name")), cell: ({ row }) => <NameCell rerun={row.original} /> },
      {
        ...sorted("dag_id", t("record:list.sourceDag")),
        cell: ({ row }) => <DagCell dagId={row.original.source.dag_id} />,
      },
      {
        ...sorted("run_id", t("record:list.sourceRun")),
        cell: ({ row }) => <RunLink dagId={row.original.source.dag_id} runId={row.original.source.run_id} />,
      },
      {
        ...sorted("state", t("word.state")),
        cell: ({ row: { original } }) => (
          <RerunBadge state={original.state} left={original.not_made_anew} data-testid="rerun-state" />
        ),
      },
      {
        ...named("progress", t("record:list.progress")),
        enableSorting: false,
        cell: ({ row: { original } }) =>
          wasCarriedOut(original) ? <ProgressBar counts={original.counts} width="13rem" /> : t("none"),
      },
      { ...sorted("created_by", t("word.createdBy")), cell: ({ row }) => row.original.created_by },
      { ...sorted("created_at", t("word.createdAt")), cell: ({ row }) => <Time value={row.original.created_at} /> },
      {
        ...named("duration", t("word.duration")),
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
    <ChakraLink asChild color="fg.info" fontWeight="medium" overflowWrap="anywhere" minWidth="9rem">
      <Link to={`/records/${rerun.id}`}>{rerunName(rerun)}</Link>
    </ChakraLink>
  );
}
