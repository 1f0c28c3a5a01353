import { Link, Text } from "@chakra-ui/react";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";

import type { NotMadeAnew } from "../../../api/types";
import { useNotMadeAnew } from "../../../api/reruns";
import { RunLink } from "../../../ui/AirflowLink";
import { DataTable } from "../../../ui/table/DataTable";
import { WHOLE_CELL } from "../../../ui/table/cells";
import { Loading, Nothing, ProblemNotice } from "../../../ui/feedback/Notices";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";

/** From so many rows on, only those in sight are drawn. */
const MANY = 200;

/** What the rerun has left as it was although wrong data had reached it: why, who accepted it, and who reads it. */
export function NotMadeAnewTable() {
  const { t } = useWords();
  const { rerun } = useRecord();
  // Asked for anew whenever the count that the record tells is another one.
  const found = useNotMadeAnew(rerun.id, rerun.not_made_anew);
  const columns = useColumns();
  if (found.error) {
    return <ProblemNotice error={found.error} retry={() => void found.refetch()} />;
  }
  if (found.data === undefined) {
    return <Loading lines={8} />;
  }
  if (found.data.length === 0) {
    return <Nothing title={t(rerun.not_made_anew > 0 ? "record:left.hidden" : "record:left.empty")} />;
  }
  return (
    <DataTable
      virtual={found.data.length > MANY}
      label={t("record:left.label")}
      data={found.data}
      columns={columns}
      rowId={(one) => [one.member_id, one.dag_id, one.run_id, one.task_id, one.map_index, one.reason].join(" ")}
    />
  );
}

function useColumns(): ColumnDef<NotMadeAnew>[] {
  const { t, list } = useWords();
  const why = useWhy();
  return useMemo(() => {
    const named = (id: string, name: string, width: number) => ({
      id,
      header: name,
      meta: { name, width, wraps: true },
    });
    return [
      {
        ...named("dag", t("word.dag"), 12),
        accessorFn: ({ dag_id }) => dag_id,
        cell: ({ row }) => <DagCell one={row.original} />,
      },
      {
        ...named("run", t("record:events.run"), 16),
        accessorFn: ({ run_id }) => run_id,
        cell: ({ row }) => <RunLink dagId={row.original.dag_id} runId={row.original.run_id} />,
      },
      {
        ...named("task", t("record:left.task"), 10),
        accessorFn: (one) => taskName(one) ?? t("record:left.wholeRun"),
      },
      {
        ...named("why", t("record:left.why"), 18),
        accessorFn: why,
      },
      {
        ...named("by", t("record:left.acceptedBy"), 8),
        accessorFn: ({ accepted_by }) => accepted_by ?? t("none"),
      },
      {
        ...named("readBy", t("record:left.readBy"), 14),
        accessorFn: ({ read_by }) => list(read_by.map(({ dag_id }) => dag_id)) || t("none"),
        cell: ({ row, getValue }) => (
          <Text truncate title={row.original.read_by.map(runName).join("\n") || undefined}>
            {String(getValue())}
          </Text>
        ),
      },
    ];
  }, [t, why, list]);
}

/** Why it wasn't made anew: a reason of a member, or the warning that the submit accepted. */
function useWhy() {
  const { word, t } = useWords();
  return useMemo(
    () =>
      ({ reason, because_of }: NotMadeAnew) => {
        if (reason === "rebuilt_on_polluted") {
          return because_of ? t("record:left.rebuilt", { run: runName(because_of) }) : t("record:left.rebuiltHidden");
        }
        return reason === "stays_polluted" ? t("record:left.deselected") : word("reason", reason);
      },
    [word, t],
  );
}

function DagCell({ one }: { one: NotMadeAnew }) {
  const { open } = useRecord();
  const { member_id: memberId } = one;
  if (memberId === null) {
    return <>{one.dag_id}</>;
  }
  return (
    <Link as="button" {...WHOLE_CELL} onClick={() => open(memberId)}>
      {one.dag_id}
    </Link>
  );
}

function taskName({ task_id, map_index }: NotMadeAnew): string | null {
  return task_id !== null && map_index !== null && map_index >= 0 ? `${task_id}[${map_index}]` : task_id;
}

function runName({ dag_id, run_id }: NotMadeAnew["read_by"][number]): string {
  return `${dag_id} / ${run_id}`;
}
