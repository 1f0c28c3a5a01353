import { Button, chakra, HStack, Text, VisuallyHidden } from "@chakra-ui/react";
import { type ColumnDef, getExpandedRowModel, type Row } from "@tanstack/react-table";
import { useMemo } from "react";
import { MdChevronRight, MdExpandMore } from "react-icons/md";

import type { RunStatus, TaskInstance } from "../../../api/types";
import { StatusBadge } from "../../../ui/StateBadge";
import { DataTable } from "../../../ui/table/DataTable";
import { useWords } from "../../../i18n/words";
import { useChosenTasks } from "./chosenTasks";
import { byTask, canBeChosen, instanceKey } from "../state/tasks";
import { Tick } from "../parts/Tick";

/** A task, or one index of a mapped task. */
interface TaskRow {
  id: string;
  taskId: string;
  mapIndex: number | null;
  instances: TaskInstance[];
  subRows?: TaskRow[];
}

function rowsOf(instances: readonly TaskInstance[]): TaskRow[] {
  return Array.from(byTask(instances), ([taskId, group]) => {
    const mapped = group.some((each) => each.map_index >= 0);
    const row = { id: taskId, taskId, mapIndex: null, instances: group };
    return mapped ? { ...row, subRows: group.map((each) => indexRow(each)) } : row;
  });
}

function indexRow(instance: TaskInstance): TaskRow {
  return {
    id: instanceKey(instance),
    taskId: instance.task_id,
    mapIndex: instance.map_index,
    instances: [instance],
  };
}

const EXPANDING = { getSubRows: (row: TaskRow) => row.subRows, getExpandedRowModel: getExpandedRowModel() };

/** The tasks of a run with a tick for each, the indexes of a mapped task below it. */
export function TaskList({ label, instances }: { label: string; instances: readonly TaskInstance[] }) {
  const { t } = useWords();
  const rows = useMemo(() => rowsOf(instances), [instances]);
  const columns = useMemo<ColumnDef<TaskRow>[]>(
    () => [
      {
        id: "chosen",
        meta: { width: 2.75 },
        header: () => <VisuallyHidden>{t("wizard:list.column")}</VisuallyHidden>,
        enableSorting: false,
        cell: ({ row }) => <TaskTick row={row.original} />,
      },
      {
        id: "task",
        meta: { width: 14 },
        header: t("word.task"),
        accessorFn: (row) => row.taskId,
        cell: ({ row }) => <TaskName row={row} />,
      },
      {
        id: "status",
        meta: { width: 8 },
        header: t("word.status"),
        accessorFn: (row) => row.instances[0]?.status,
        cell: ({ row }) => <Statuses instances={row.original.instances} />,
      },
      {
        id: "operator",
        meta: { width: 11 },
        header: t("word.operator"),
        accessorFn: (row) => row.instances[0]?.operator ?? "",
        cell: ({ getValue }) => (
          <Text as="span" color="fg.muted">
            {String(getValue())}
          </Text>
        ),
      },
      {
        id: "reason",
        meta: { width: 13 },
        header: t("wizard:tasks.why"),
        accessorFn: (row) => row.instances[0]?.reason ?? "",
        cell: ({ row }) => <Why instances={row.original.instances} />,
      },
      {
        id: "downstream",
        meta: { width: 9.5, stays: true },
        header: () => <VisuallyHidden>{t("wizard:tasks.withDownstream")}</VisuallyHidden>,
        enableSorting: false,
        cell: ({ row }) => <WithDownstream row={row.original} />,
      },
    ],
    [t],
  );
  return <DataTable virtual label={label} data={rows} columns={columns} rowId={(row) => row.id} options={EXPANDING} />;
}

function TaskTick({ row }: { row: TaskRow }) {
  const { t } = useWords();
  const { chosen, tick } = useChosenTasks();
  const possible = row.instances.filter(canBeChosen).map(instanceKey);
  const count = possible.filter((key) => chosen.has(key)).length;
  return (
    <Tick
      label={nameOf(row, t("wizard:tasks.index", { task: row.taskId, index: row.mapIndex ?? 0 }))}
      checked={count > 0 && count === possible.length}
      partly={count > 0}
      disabled={possible.length === 0}
      onTick={(wanted) => tick(possible, wanted)}
    />
  );
}

function nameOf(row: TaskRow, indexed: string): string {
  return row.mapIndex === null || row.mapIndex < 0 ? row.taskId : indexed;
}

const Expander = chakra("button", {
  base: { display: "inline-flex", alignItems: "center", gap: 1, cursor: "pointer", fontWeight: "medium" },
});

function TaskName({ row }: { row: Row<TaskRow> }) {
  const { t } = useWords();
  const { taskId, mapIndex, instances } = row.original;
  if (mapIndex !== null) {
    return <Text ps={8}>{t("wizard:tasks.mapIndex", { index: mapIndex })}</Text>;
  }
  if (!row.getCanExpand()) {
    return (
      <Text as="span" fontWeight="medium">
        {taskId}
      </Text>
    );
  }
  const open = row.getIsExpanded();
  return (
    <HStack>
      <Expander type="button" aria-expanded={open} onClick={() => row.toggleExpanded()}>
        {open ? <MdExpandMore aria-hidden="true" /> : <MdChevronRight aria-hidden="true" />}
        {taskId}
      </Expander>
      <Chosen instances={instances} />
    </HStack>
  );
}

function Chosen({ instances }: { instances: readonly TaskInstance[] }) {
  const { t } = useWords();
  const { chosen } = useChosenTasks();
  const count = instances.filter((each) => chosen.has(instanceKey(each))).length;
  return <Text color="fg.muted">{t("wizard:tasks.indexes", { count, total: instances.length })}</Text>;
}

/** The statuses of some instances; with how many have it where they differ. */
export function Statuses({ instances }: { instances: readonly TaskInstance[] }) {
  const counts = new Map<RunStatus, number>();
  instances.forEach(({ status }) => counts.set(status, (counts.get(status) ?? 0) + 1));
  return (
    <HStack gap={1}>
      {Array.from(counts, ([status, count]) => (
        <HStack key={status} gap={1}>
          <StatusBadge status={status} size="sm" />
          {counts.size > 1 && <span>{count}</span>}
        </HStack>
      ))}
    </HStack>
  );
}

function Why({ instances }: { instances: readonly TaskInstance[] }) {
  const { word } = useWords();
  const reasons = new Set(instances.map((each) => each.reason).filter((reason) => reason !== null));
  const text = Array.from(reasons, (reason) => word("reason", reason)).join("; ");
  return (
    <Text color="fg.muted" maxWidth="22rem" truncate title={text}>
      {text}
    </Text>
  );
}

function WithDownstream({ row }: { row: TaskRow }) {
  const { t } = useWords();
  const { withDownstream } = useChosenTasks();
  const possible = row.instances.filter(canBeChosen).map(instanceKey);
  if (possible.length === 0) {
    return null;
  }
  return (
    <Button
      size="2xs"
      variant="ghost"
      aria-label={t("wizard:tasks.withDownstreamOf", { task: row.taskId })}
      onClick={() => withDownstream(row.taskId, possible)}
    >
      {t("wizard:tasks.withDownstream")}
    </Button>
  );
}
