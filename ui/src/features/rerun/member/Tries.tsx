import { chakra, Table, Text } from "@chakra-ui/react";
import { useState } from "react";

import { TASKS_WITH_TRIES, useTaskTries } from "../../../api/airflow";
import { asProblem } from "../../../api/problem";
import type { RunRef } from "../../../api/types";
import { shownDuration } from "../../../domain/dates";
import { useWords } from "../../../i18n/words";
import { bothNames } from "../../../ui/dagNames";
import { Loading } from "../../../ui/feedback/Notices";
import { ScrollRegion } from "../../../ui/ScrollRegion";
import type { Attempt } from "./attempts";
import { byAttempt, type TriesOfAttempt } from "./tries";

interface TriesProps {
  run: RunRef;
  attempts: readonly Attempt[];
}

/** What each task did in each attempt, as Airflow keeps it. It is asked for when it is opened. */
export function Tries({ run, attempts }: TriesProps) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <chakra.details mt={2} data-testid="tries" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <chakra.summary cursor="pointer" fontWeight="semibold">
        {t("record:tries.label")}
      </chakra.summary>
      {open && <Asked run={run} attempts={attempts} />}
    </chakra.details>
  );
}

function Asked({ run, attempts }: TriesProps) {
  const { t } = useWords();
  const seen = JSON.stringify(attempts.map(({ begunAt, endedAt }) => [begunAt, endedAt]));
  const found = useTaskTries(run, seen);
  const problem = asProblem(found.error);
  if (problem !== undefined) {
    const refused = problem.status === 403 || problem.status === 401;
    return <Text color="fg.muted">{t(refused ? "record:tries.forbidden" : "record:tries.unknown")}</Text>;
  }
  if (found.data === undefined) {
    return <Loading lines={3} />;
  }
  const { tasks, total } = found.data;
  return (
    <>
      <ScrollRegion label={t("record:tries.label")}>
        <Table.Root size="sm">
          <Table.Header>
            <Table.Row bg="bg.subtle">
              <Table.ColumnHeader>{t("word.task")}</Table.ColumnHeader>
              {attempts.map(({ number, begunAt }) => (
                <Table.ColumnHeader key={begunAt}>{number ?? t("record:attempt.inAirflow")}</Table.ColumnHeader>
              ))}
            </Table.Row>
          </Table.Header>
          <Table.Body>
            {tasks.map(({ task_id, map_index, task_display_name: called, tries }) => (
              <Table.Row key={`${task_id} ${map_index}`}>
                <Table.Cell overflowWrap="anywhere" title={bothNames(called || task_id, task_id)}>
                  {`${called || task_id}${map_index >= 0 ? `[${map_index}]` : ""}`}
                </Table.Cell>
                {byAttempt(tries, attempts).map((one, place) => (
                  <Table.Cell key={attempts[place]?.begunAt}>
                    <OfAttempt one={one} />
                  </Table.Cell>
                ))}
              </Table.Row>
            ))}
          </Table.Body>
        </Table.Root>
      </ScrollRegion>
      {total > tasks.length && <Text>{t("record:tries.more", { count: total - TASKS_WITH_TRIES })}</Text>}
    </>
  );
}

function OfAttempt({ one }: { one: TriesOfAttempt | undefined }) {
  const { t, word } = useWords();
  if (one === undefined) {
    return <>{t("none")}</>;
  }
  const took = one.seconds === null ? undefined : shownDuration(one.seconds);
  const state = word("airflowState", one.state ?? "none");
  return <>{[t("record:tries.count", { count: one.count }), state, took].filter(Boolean).join(", ")}</>;
}
