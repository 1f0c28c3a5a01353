import { Alert, Stack, Text } from "@chakra-ui/react";

import type { Review } from "../../../../api/types";
import { shownDuration } from "../../../../domain/dates";
import { keyOf } from "../../../../domain/runName";
import { useWords } from "../../../../i18n/words";
import { Time } from "../../../../ui/Time";
import { RunCell } from "../../parts/names";
import type { PlanIndex } from "../../state/plan";
import { CutDagName, future, NAMED, Row, RunOfRow, Section } from "./parts";

interface FrozenRunsProps {
  index: PlanIndex;
  review: Review;
}

/** What is held back, until when, and when it would start otherwise. */
export function FrozenRuns({ index, review: { frozen, frozen_at_most: atMost } }: FrozenRunsProps) {
  const { t } = useWords();
  if (frozen.length === 0) {
    return null;
  }
  const regular = frozen.filter((ref) => index.runs.get(keyOf(ref))?.wrong_data === null).length;
  return (
    <Section title={t("wizard:review.frozen", { count: frozen.length })}>
      <Text color="fg.muted">
        {t("wizard:review.frozenHint")}
        {atMost !== null && ` ${t("wizard:review.frozenAtMost", { duration: shownDuration(atMost) })}`}
      </Text>
      {regular > 0 && (
        <Alert.Root status="warning" size="sm" textStyle="sm" py={2}>
          <Alert.Indicator />
          <Alert.Title>{t("wizard:review.frozenRegular", { count: regular })}</Alert.Title>
        </Alert.Root>
      )}
      <Stack as="ul" listStyleType="none" gap={0} data-testid="frozen">
        {frozen.slice(0, NAMED).map((ref) => (
          <FrozenRun key={keyOf(ref)} frozen={ref} run={index.runs.get(keyOf(ref))} />
        ))}
      </Stack>
      {frozen.length > NAMED && (
        <Text color="fg.muted">{t("wizard:freeze.more", { count: frozen.length - NAMED })}</Text>
      )}
    </Section>
  );
}

interface FrozenRunProps {
  frozen: Review["frozen"][number];
  run: ReturnType<PlanIndex["runs"]["get"]>;
}

function FrozenRun({ frozen, run }: FrozenRunProps) {
  const { t } = useWords();
  return (
    <Row>
      <CutDagName dagId={frozen.dag_id} />
      <RunOfRow>
        <RunCell run={future(frozen)} />
      </RunOfRow>
      <span>
        {run?.run_after ? (
          <>
            {t("wizard:review.due")} <Time value={run.run_after} />
          </>
        ) : (
          t("wizard:review.dueByAssets")
        )}
      </span>
      <Text color="fg.muted">{run && t(`wizard:freeze.wrongData.${run.wrong_data ?? "none"}`)}</Text>
    </Row>
  );
}
