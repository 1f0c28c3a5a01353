import { Button, chakra, HStack, Text, VisuallyHidden } from "@chakra-ui/react";
import { type ColumnDef, getExpandedRowModel, type Row } from "@tanstack/react-table";
import { useMemo } from "react";
import { MdChevronRight, MdExpandMore } from "react-icons/md";

import type { RunStatus, TaskInstance } from "../../../api/types";
import { StatusBadge } from "../../../ui/StateBadge";
import { NameAndId } from "../../../ui/dagNames";
import { DataTable } from "../../../ui/table/DataTable";
import { useWords } from "../../../i18n/words";
import { useChosenTasks } from "./chosenTasks";
import type { Structure } from "../../../domain/tasks";
import { canBeChosen, instanceKey } from "../state/tasks";
import { Tick } from "../../../ui/Tick";
import { openGroups, rowsOf, type TaskRow } from "./taskRows";

const EXPANDING = { getSubRows: (row: TaskRow) => row.subRows, getExpandedRowModel: getExpandedRowModel() };

interface TaskListProps {
  label: string;
  instances: readonly TaskInstance[];
  /** Tells the task groups. */
  structure: Structure;
}

/** The tasks of a run with a tick for each, in their groups, the indexes of a mapped task below it. */
export function TaskList({ label, instances, structure }: TaskListProps) {
  const { t } = useWords();
  const rows = useMemo(() => rowsOf(instances, structure), [instances, structure]);
  const options = useMemo(() => ({ ...EXPANDING, initialState: { expanded: openGroups(rows) } }), [rows]);
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
        accessorFn: (row) => (row.isGroup ? "" : (row.instances[0]?.operator ?? "")),
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
  return <DataTable virtual label={label} data={rows} columns={columns} rowId={(row) => row.id} options={options} />;
}

function TaskTick({ row }: { row: TaskRow }) {
  const { t } = useWords();
  const { chosen, tick } = useChosenTasks();
  const possible = row.instances.filter(canBeChosen).map(instanceKey);
  const count = possible.filter((key) => chosen.has(key)).length;
  return (
    <Tick
      label={
        row.isGroup
          ? t("wizard:tasks.group", { group: row.taskId })
          : nameOf(row, t("wizard:tasks.index", { task: row.taskId, index: row.mapIndex ?? 0 }))
      }
      checked={count > 0 && count === possible.length}
      partly={count > 0}
      disabled={possible.length === 0}
      onTick={(wanted) => tick(possible, wanted)}
    />
  );
}

/** Tasks of a group stand a step to the right of it. */
const INDENT = 1.5;

function nameOf(row: TaskRow, indexed: string): string {
  return row.mapIndex === null || row.mapIndex < 0 ? row.taskId : indexed;
}

const Expander = chakra("button", {
  base: { display: "inline-flex", alignItems: "center", gap: 1, cursor: "pointer", fontWeight: "medium" },
});

function TaskName({ row }: { row: Row<TaskRow> }) {
  const { t } = useWords();
  const { taskId, mapIndex, isGroup, instances } = row.original;
  const called = instances[0]?.task_display_name ?? taskId;
  if (mapIndex !== null) {
    return <Text ps={8 + 4 * (row.depth - 1)}>{t("wizard:tasks.mapIndex", { index: mapIndex })}</Text>;
  }
  if (!row.getCanExpand()) {
    return (
      <Text as="span" fontWeight="medium" ps={`${INDENT * row.depth}rem`}>
        <NameAndId name={called} id={taskId} />
      </Text>
    );
  }
  const open = row.getIsExpanded();
  return (
    <HStack ps={`${INDENT * row.depth}rem`}>
      <Expander type="button" aria-expanded={open} onClick={() => row.toggleExpanded()}>
        {open ? <MdExpandMore aria-hidden="true" /> : <MdChevronRight aria-hidden="true" />}
        {isGroup ? t("wizard:tasks.group", { group: taskId }) : <NameAndId name={called} id={taskId} />}
      </Expander>
      <Chosen instances={instances} isGroup={isGroup} />
    </HStack>
  );
}

function Chosen({ instances, isGroup }: Pick<TaskRow, "instances" | "isGroup">) {
  const { t } = useWords();
  const { chosen } = useChosenTasks();
  const count = instances.filter((each) => chosen.has(instanceKey(each))).length;
  return (
    <Text color="fg.muted">
      {t(isGroup ? "wizard:tasks.inGroup" : "wizard:tasks.indexes", { count, total: instances.length })}
    </Text>
  );
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
  if (possible.length === 0 || row.isGroup) {
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
