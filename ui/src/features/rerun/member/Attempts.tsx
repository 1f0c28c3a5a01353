import { Heading, Table } from "@chakra-ui/react";

import type { Member, RerunEvent } from "../../../api/types";
import { secondsBetween, shownDuration } from "../../../domain/dates";
import { useWords } from "../../../i18n/words";
import { useSentence } from "../../../ui/sentences";
import { ScrollRegion } from "../../../ui/ScrollRegion";
import { Time } from "../../../ui/Time";
import { useClock } from "../../../ui/useClock";
import { useCause } from "../words";
import { type Attempt, attemptsOf } from "./attempts";
import { Tries } from "./Tries";

/** The attempts of a member side by side: when each began and ended, how long it took, and how it ended. */
export function Attempts({ member, events }: { member: Member; events: readonly RerunEvent[] }) {
  const { t } = useWords();
  const attempts = attemptsOf(events, member.id);
  const now = useClock(attempts.at(-1)?.endedAt === null);
  if (attempts.length === 0) {
    return null;
  }
  return (
    <section data-testid="attempts">
      <Heading as="h3" size="sm" mb={2}>
        {t("record:attempt.label")}
      </Heading>
      <ScrollRegion label={t("record:attempt.label")}>
        <Table.Root size="sm">
          <Table.Header>
            <Table.Row bg="bg.subtle">
              <Table.ColumnHeader>{t("record:member.attempt")}</Table.ColumnHeader>
              <Table.ColumnHeader>{t("record:attempt.begun")}</Table.ColumnHeader>
              <Table.ColumnHeader>{t("word.endedAt")}</Table.ColumnHeader>
              <Table.ColumnHeader>{t("word.duration")}</Table.ColumnHeader>
              <Table.ColumnHeader minWidth="14rem">{t("record:attempt.result")}</Table.ColumnHeader>
            </Table.Row>
          </Table.Header>
          <Table.Body>
            {attempts.map((attempt) => (
              <Table.Row key={attempt.begunAt}>
                <Table.Cell>{attempt.number ?? t("record:attempt.inAirflow")}</Table.Cell>
                <Table.Cell whiteSpace="nowrap">
                  <Time value={attempt.begunAt} />
                </Table.Cell>
                <Table.Cell whiteSpace="nowrap">
                  <Time value={attempt.endedAt} />
                </Table.Cell>
                <Table.Cell>{shownDuration(secondsBetween(attempt.begunAt, attempt.endedAt, now))}</Table.Cell>
                <Table.Cell overflowWrap="anywhere">
                  <Result attempt={attempt} />
                </Table.Cell>
              </Table.Row>
            ))}
          </Table.Body>
        </Table.Root>
      </ScrollRegion>
      {member.run_id !== null && <Tries run={{ dag_id: member.dag_id, run_id: member.run_id }} attempts={attempts} />}
    </section>
  );
}

function Result({ attempt: { endedAt, result, cause, detail, sentence } }: { attempt: Attempt }) {
  const { t } = useWords();
  const said = useCause();
  const say = useSentence();
  if (endedAt === null) {
    return <>{t("record:attempt.underWay")}</>;
  }
  const what = result === null ? t("none") : t(`record:event.${result}`, { defaultValue: result });
  return <>{[what, cause ? said(cause) : (say(sentence) ?? detail)].filter(Boolean).join(": ")}</>;
}
