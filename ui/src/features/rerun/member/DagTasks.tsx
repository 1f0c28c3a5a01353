import { Box, chakra, HStack, Stack, Text } from "@chakra-ui/react";
import { useCallback, useContext, useEffect, useMemo, useState } from "react";

import { useTaskInstances } from "../../../api/dagRuns";
import { ENDED, STEADY } from "../../../api/pace";
import type { Member, MemberState, RunRef, TaskInstance, TaskInstances } from "../../../api/types";
import { byTask, statesOf, TASK_STATES, taskEdges } from "../../../domain/tasks";
import { useWords } from "../../../i18n/words";
import { bothNames } from "../../../ui/dagNames";
import { Loading, ProblemNotice } from "../../../ui/feedback/Notices";
import { CardNote } from "../../../ui/graph/Cards";
import { Graph } from "../../../ui/graph/Graph";
import type { Grouping } from "../../../ui/graph/types";
import { AirflowStateBadge } from "../../../ui/StateBadge";

const SIZE = { width: 210, height: 68 };

/** In these, nothing of the run changes but by what somebody does in Airflow. */
const OVER: ReadonlySet<MemberState> = new Set(["succeeded", "failed", "skipped", "terminated"]);

/** The graph of a member's own Dag, with the states that Airflow gives the run's tasks. It is asked for when it is opened. */
export function DagTasks({ member }: { member: Member }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const { dag_id, run_id } = member;
  if (run_id === null) {
    return null;
  }
  return (
    <chakra.details data-testid="dag-tasks" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <chakra.summary cursor="pointer" fontWeight="semibold">
        {t("record:member.dagTasks")}
      </chakra.summary>
      {open && <Asked run={{ dag_id, run_id }} member={member} />}
    </chakra.details>
  );
}

function Asked({ run, member: { state, attempt } }: { run: RunRef; member: Member }) {
  const { t } = useWords();
  const { data, error, failureReason, refetch } = useTaskInstances(run, OVER.has(state) ? ENDED : STEADY);
  useEffect(() => void refetch(), [refetch, state, attempt]);
  const problem = error ?? failureReason;
  return (
    <>
      <ProblemNotice follows error={problem} retry={() => void refetch()}>
        {data && <Text>{t("record:notice.stale")}</Text>}
      </ProblemNotice>
      {data === undefined && !problem && <Loading lines={4} />}
      {data?.structure.length === 0 && <Text color="fg.muted">{t("record:member.noDag")}</Text>}
      {data && data.structure.length > 0 && <Tasks {...data} />}
    </>
  );
}

function Tasks({ task_instances, structure }: TaskInstances) {
  const { t } = useWords();
  const instances = useMemo(() => byTask(task_instances), [task_instances]);
  // A task of the latest version that the run hasn't is there without a state, as on Airflow's page.
  const ids = JSON.stringify([...new Set([...structure.map(({ task_id }) => task_id), ...instances.keys()])]);
  // The same object until there are others, so that a new state doesn't lay out the graph anew.
  const nodes = useMemo(() => JSON.parse(ids) as string[], [ids]);
  const edges = useMemo(() => taskEdges(structure), [structure]);
  const of = useCallback((key: string) => instances.get(key) ?? [], [instances]);
  const groups = useGroups(structure, of);
  const card = useCallback((key: string) => <TaskCard taskId={key} instances={of(key)} />, [of]);
  const nameOf = useCallback((key: string) => bothNames(of(key)[0]?.task_display_name ?? key, key), [of]);
  const colorOf = useCallback((key: string) => paletteOf(statesOf(of(key))[0]?.[0] ?? "none"), [of]);
  return (
    <Box height="24rem" display="flex" mt={2}>
      <Graph
        label={t("record:member.dagTasks")}
        keysHint={t("record:member.dagTasksKeys")}
        {...{ nodes, edges, card, nameOf, colorOf, groups }}
        size={SIZE}
      />
    </Box>
  );
}

function paletteOf(state: string): string {
  return state === "none" ? "gray" : state;
}

/** Tasks of a group go together where there are many. */
function useGroups(structure: TaskInstances["structure"], of: (key: string) => readonly TaskInstance[]): Grouping {
  const { word } = useWords();
  const groupOf = useMemo(() => new Map(structure.map(({ task_id, group }) => [task_id, group ?? ""])), [structure]);
  const dagOf = useCallback((key: string) => groupOf.get(key) ?? "", [groupOf]);
  return useMemo(
    () => ({
      of: "tasks",
      dagOf,
      stateOf: (key) => statesOf(of(key))[0]?.[0] ?? "none",
      states: TASK_STATES.map((state) => ({ state, word: word("airflowState", state), color: paletteOf(state) })),
    }),
    [dagOf, of, word],
  );
}

function TaskCard({ taskId, instances }: { taskId: string; instances: readonly TaskInstance[] }) {
  const { t } = useWords();
  const note = useContext(CardNote);
  const called = instances[0]?.task_display_name ?? taskId;
  const states = statesOf(instances);
  return (
    <Stack height="100%" gap={1} p={2} borderWidth="1px" borderRadius="md" bg="bg.panel" fontSize="xs">
      <Text fontWeight="semibold" truncate title={bothNames(called, taskId)}>
        {called}
      </Text>
      <HStack gap={1} id={note}>
        {states.length === 0 && <AirflowStateBadge state={null} variant="outline" />}
        {states.slice(0, 2).map(([state, count]) => (
          <AirflowStateBadge
            key={state}
            state={state === "none" ? null : state}
            aria-description={instances.length > 1 ? t("count.taskInstances", { count }) : undefined}
          />
        ))}
        {instances.length > 1 && <Text color="fg.muted">{t("count.taskInstances", { count: instances.length })}</Text>}
      </HStack>
    </Stack>
  );
}
