import { Badge, Box, Button, chakra, Flex, Stack, Text } from "@chakra-ui/react";

import { type FailedTask, NAMED_TASKS, taskPath, useFailedTasks, useLastLines } from "../../../api/airflow";
import { asProblem } from "../../../api/problem";
import type { Member, RunRef } from "../../../api/types";
import { LAST_LINES } from "../../../api/taskLog";
import { useWords } from "../../../i18n/words";
import { AirflowLink } from "../../../ui/AirflowLink";
import { Time } from "../../../ui/Time";

/** The tasks of a failed member's run that failed, each with the way to its log and, if wanted, the log's end. */
export function FailedTasks({ member }: { member: Member }) {
  const { run_id } = member;
  return run_id === null ? null : <OfRun run={{ dag_id: member.dag_id, run_id }} seen={String(member.ended_at)} />;
}

function OfRun({ run, seen }: { run: RunRef; seen: string }) {
  const { t } = useWords();
  const found = useFailedTasks(run, seen);
  const problem = asProblem(found.error);
  if (problem !== undefined) {
    const refused = problem.status === 403 || problem.status === 401;
    return <Text color="fg.muted">{t(refused ? "record:failed.forbidden" : "record:failed.unknown")}</Text>;
  }
  if (found.data === undefined) {
    return null;
  }
  const { task_instances: tasks, total_entries: total } = found.data;
  if (tasks.length === 0) {
    return <Text color="fg.muted">{t("record:failed.none")}</Text>;
  }
  return (
    <Stack gap={1} width="100%" minWidth={0} data-testid="failed-tasks">
      <Text fontSize="xs" color="fg.muted">
        {t("record:failed.label")}
      </Text>
      <Stack as="ul" gap={2} listStyleType="none">
        {tasks.map((task) => (
          <OneTask key={`${task.task_id} ${task.map_index}`} run={run} task={task} />
        ))}
      </Stack>
      {total > tasks.length && <Text>{t("record:failed.more", { count: total - NAMED_TASKS })}</Text>}
    </Stack>
  );
}

function nameOf({ task_id, task_display_name, map_index }: FailedTask): string {
  return `${task_display_name || task_id}${map_index >= 0 ? `[${map_index}]` : ""}`;
}

function OneTask({ run, task }: { run: RunRef; task: FailedTask }) {
  const { t } = useWords();
  const log = useLastLines(run, task);
  const name = nameOf(task);
  return (
    <Box as="li" minWidth={0}>
      <Flex gap={2} align="center" wrap="wrap">
        <AirflowLink
          path={taskPath(run, task)}
          color="inherit"
          textDecoration="underline"
          overflowWrap="anywhere"
          title={task.task_id}
          aria-label={t("record:failed.log", { task: name })}
        >
          {name}
        </AirflowLink>
        {task.operator_name && <Badge colorPalette="gray">{task.operator_name}</Badge>}
        <Text color="fg.muted" fontSize="xs">
          {t("record:failed.try", { count: task.try_number })}
        </Text>
        <Button size="2xs" variant="outline" bg="bg" loading={log.isPending} onClick={() => log.mutate()}>
          {t("record:failed.show")}
        </Button>
      </Flex>
      {log.error && <Text color="fg.warning">{t(`record:failed.${refusalOf(log.error)}`)}</Text>}
      {log.data && <Lines {...log.data} task={name} />}
    </Box>
  );
}

/** Why there are no lines, as the page says it: what Airflow says itself may be anything. */
function refusalOf(error: Error): "forbidden" | "noLog" | "unknown" {
  const status = asProblem(error)?.status;
  return status === 403 || status === 401 ? "forbidden" : status === 404 ? "noLog" : "unknown";
}

const Log = chakra("div", {
  base: {
    fontFamily: "mono",
    fontSize: "xs",
    whiteSpace: "pre-wrap",
    overflowWrap: "anywhere",
    maxHeight: "16rem",
    overflow: "auto",
    bg: "bg",
    color: "fg",
    borderWidth: "1px",
    borderRadius: "sm",
    p: 2,
    mt: 1,
  },
});

function Lines({
  lines,
  cut,
  task,
}: {
  lines: readonly { at: string | null; text: string }[];
  cut: boolean;
  task: string;
}) {
  const { t } = useWords();
  if (lines.length === 0) {
    return <Text color="fg.muted">{t(cut ? "record:failed.tooLong" : "record:failed.empty")}</Text>;
  }
  return (
    <>
      <Log tabIndex={0} role="region" aria-label={t("record:failed.lines", { task })} data-testid="last-lines">
        {lines.map(({ at, text }, index) => (
          <div key={index}>
            {at && (
              <chakra.span color="fg.muted">
                <Time value={at} />{" "}
              </chakra.span>
            )}
            {text}
          </div>
        ))}
      </Log>
      <Text color={cut ? "fg.warning" : "fg.muted"} fontSize="xs">
        {t(cut ? "record:failed.tooLong" : "record:failed.last", { count: Math.min(lines.length, LAST_LINES) })}
      </Text>
    </>
  );
}
