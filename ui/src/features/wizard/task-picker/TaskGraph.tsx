import { Box, HStack, Text } from "@chakra-ui/react";
import { useCallback, useContext, useMemo } from "react";

import { statusColor } from "../../../ui/StateBadge";
import type { TaskInstance } from "../../../api/types";
import { CardNote } from "../../../ui/graph/Cards";
import { bothNames } from "../../../ui/dagNames";
import { Graph } from "../../../ui/graph/Graph";
import { useWords } from "../../../i18n/words";
import { useChosenTasks } from "./chosenTasks";
import { Statuses } from "./TaskList";
import { byTask, type Structure, taskEdges } from "../../../domain/tasks";
import { canBeChosen, instanceKey } from "../state/tasks";
import { Tick } from "../../../ui/Tick";

const SIZE = { width: 220, height: 72 };

interface TaskGraphProps {
  label: string;
  instances: readonly TaskInstance[];
  structure: Structure;
}

/** The run's own graph: a card for each task. Enter on one ticks it with everything that follows. */
export function TaskGraph({ label, instances, structure }: TaskGraphProps) {
  const { t } = useWords();
  const { chosen, tick, withDownstream } = useChosenTasks();
  const groups = useMemo(() => byTask(instances), [instances]);
  const nodes = useMemo(() => [...groups.keys()], [groups]);
  const edges = useMemo(() => taskEdges(structure), [structure]);
  const card = useCallback((key: string) => <TaskCard taskId={key} instances={groups.get(key) ?? []} />, [groups]);
  const nameOf = useCallback((key: string) => key, []);
  const colorOf = useCallback((key: string) => statusColor(groups.get(key)?.[0]?.status ?? "not_ready"), [groups]);
  const possible = (key: string) => (groups.get(key) ?? []).filter(canBeChosen).map(instanceKey);
  return (
    <Graph
      label={label}
      keysHint={t("wizard:tasks.keys")}
      nodes={nodes}
      edges={edges}
      size={SIZE}
      card={card}
      nameOf={nameOf}
      colorOf={colorOf}
      onToggle={(key) => {
        const keys = possible(key);
        tick(keys, !keys.every((each) => chosen.has(each)));
      }}
      onOpen={(key) => withDownstream(key, possible(key))}
    />
  );
}

function TaskCard({ taskId, instances }: { taskId: string; instances: readonly TaskInstance[] }) {
  const { t } = useWords();
  const { chosen, tick } = useChosenTasks();
  const possible = instances.filter(canBeChosen).map(instanceKey);
  const count = possible.filter((key) => chosen.has(key)).length;
  const note = useContext(CardNote);
  const called = instances[0]?.task_display_name ?? taskId;
  return (
    <Box
      height="100%"
      p={2}
      borderWidth="1px"
      borderRadius="md"
      bg="bg.panel"
      borderColor={count > 0 ? "brand.solid" : "border"}
    >
      <HStack>
        <Tick
          label={taskId}
          tabIndex={-1}
          checked={count > 0 && count === possible.length}
          partly={count > 0}
          disabled={possible.length === 0}
          onTick={(wanted) => tick(possible, wanted)}
        />
        <Text fontWeight="semibold" truncate title={bothNames(called, taskId)}>
          {called}
        </Text>
        <span id={note} hidden>
          {t("wizard:tasks.chosen", { count, total: instances.length })}
        </span>
      </HStack>
      <HStack mt={1} gap={2}>
        <Statuses instances={instances} />
        {instances.length > 1 && (
          <Text color="fg.muted">{t("wizard:tasks.indexes", { count, total: instances.length })}</Text>
        )}
      </HStack>
    </Box>
  );
}
