import { Heading, Stack, Text } from "@chakra-ui/react";

import { useTaskInstances } from "../../../api/dagRuns";
import type { Member, TaskInstances, TaskRef } from "../../../api/types";
import { grouped } from "../../../domain/grouped";
import { useWords } from "../../../i18n/words";

export function taskName(task: TaskRef): string {
  return typeof task === "string" ? task : `${task.task_id}[${task.map_index}]`;
}

/** Tasks by their task groups, in which they stand together; "": in none. */
export function byGroup(tasks: readonly TaskRef[], structure: TaskInstances["structure"]): Map<string, TaskRef[]> {
  const groupOf = new Map(structure.map(({ task_id, group }) => [task_id, group]));
  return grouped(tasks, (task) => groupOf.get(typeof task === "string" ? task : task.task_id) ?? "");
}

/** The tasks of a member that are rerun, in their groups. */
export function MemberTasks({ member }: { member: Member }) {
  const { t, list } = useWords();
  const { dag_id, run_id, task_ids } = member;
  const asked = run_id !== null && task_ids.length > 0 ? { dag_id, run_id } : undefined;
  const structure = useTaskInstances(asked).data?.structure ?? [];
  if (task_ids.length === 0) {
    return null;
  }
  return (
    <section>
      <Heading as="h3" size="sm" mb={2}>
        {t("record:member.tasksAll")}
      </Heading>
      <Stack gap={1}>
        {Array.from(byGroup(task_ids, structure), ([group, tasks]) => {
          const names = list(tasks.map(taskName));
          return (
            <Text key={group} overflowWrap="anywhere">
              {group ? t("record:member.taskGroup", { group, tasks: names }) : names}
            </Text>
          );
        })}
      </Stack>
    </section>
  );
}
