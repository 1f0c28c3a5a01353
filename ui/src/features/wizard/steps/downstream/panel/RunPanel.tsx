import { Alert, Button, Heading, HStack, SimpleGrid, Stack, Text } from "@chakra-ui/react";
import { useCallback } from "react";

import type { PlanRun } from "../../../../../api/types";
import { AirflowLink } from "../../../../../ui/AirflowLink";
import { CopyId } from "../../../../../ui/CopyId";
import { NameAndId } from "../../../../../ui/dagNames";
import { StatusBadge } from "../../../../../ui/StateBadge";
import { Field } from "../../../../../ui/feedback/Notices";
import { Time } from "../../../../../ui/Time";
import { reachable } from "../../../../../ui/graph/structure";
import { useWords } from "../../../../../i18n/words";
import { keyOf } from "../../../../../domain/runName";
import { useChoosingRuns } from "../../../state/choosing";
import { useWizard } from "../../../state/context";
import { DagEdges } from "./DagEdges";
import { LinkFacts } from "./LinkFacts";
import { RunCell } from "../../../parts/names";
import { type PlanIndex, takeable } from "../../../state/plan";
import { RunTick, TasksButton, Wayword } from "../../../parts/RunParts";
import { useTaken } from "../../../state/useTaken";

/** What is known of the run that is looked at, and what can be done with it. */
export function RunPanel({ index }: { index: PlanIndex }) {
  const { t } = useWords();
  const { current } = useChoosingRuns();
  const run = current === null ? undefined : index.runs.get(current);
  if (current !== null && index.unknown.has(current)) {
    return (
      <Stack gap={3}>
        <Heading as="h3" size="sm">
          {index.unknown.get(current)}
        </Heading>
        <Text>{t("evidenceMeaning.unresolved")}</Text>
        <Reached index={index} runKey={current} />
        <Behind dags={index.behind.get(current) ?? []} />
        <DagEdges key={current} dagId={index.unknown.get(current) ?? ""} />
      </Stack>
    );
  }
  if (current === null || run === undefined) {
    return (
      <Stack gap={3}>
        <Text color="fg.muted">{t("wizard:panel.nothing")}</Text>
        <DagEdges dagId={index.plan.source.dag_id} />
      </Stack>
    );
  }
  return (
    <Stack gap={3} data-testid="run-panel">
      <RunFacts run={run} />
      {current === index.source ? (
        <Text color="fg.muted">{t("wizard:panel.source")}</Text>
      ) : (
        <RunDecisions index={index} run={run} />
      )}
      <Reached index={index} runKey={current} />
      <DagEdges key={run.dag_id} dagId={run.dag_id} />
    </Stack>
  );
}

function RunFacts({ run }: { run: PlanRun }) {
  const { t, word } = useWords();
  return (
    <>
      <Stack gap={0.5}>
        <Heading as="h3" size="sm">
          <AirflowLink path={`dags/${encodeURIComponent(run.dag_id)}`}>
            <NameAndId name={run.dag_display_name} id={run.dag_id} />
          </AirflowLink>
          {run.dag_display_name !== run.dag_id && <CopyId id={run.dag_id} />}
        </Heading>
        <Text overflowWrap="anywhere">
          <RunCell run={run} />
        </Text>
      </Stack>
      <SimpleGrid as="dl" columns={2} gap={2}>
        <Field label={t("word.status")}>
          <StatusBadge status={run.status} size="sm" />
        </Field>
        <Field label={t("word.runType")}>{word("runType", run.run_type)}</Field>
        <Field label={t("word.runAfter")}>
          <Time value={run.run_after} />
        </Field>
        <Field label={t("word.logicalDate")}>
          <Time value={run.logical_date} />
        </Field>
      </SimpleGrid>
      {run.note && (
        <dl>
          <Field label={t("word.note")}>
            <Text whiteSpace="pre-line">{run.note}</Text>
          </Field>
        </dl>
      )}
    </>
  );
}

function RunDecisions({ index, run }: { index: PlanIndex; run: PlanRun }) {
  const { t, word } = useWords();
  const { refusal } = useTaken(run);
  return (
    <>
      {refusal === null ? (
        <HStack>
          <RunTick run={run} />
          <Wayword run={run} />
        </HStack>
      ) : (
        <Alert.Root status="info" size="sm" textStyle="sm" py={2}>
          <Alert.Indicator />
          <Alert.Content>
            <Alert.Title>{t("wizard:panel.cannot")}</Alert.Title>
            <Alert.Description>
              {word("reason", refusal)}
              {run.freeze_action !== null && ` ${t("wizard:panel.freezeCan")}`}
            </Alert.Description>
          </Alert.Content>
        </Alert.Root>
      )}
      {run.exists && (
        <HStack>
          <Text color="fg.muted">{t("word.tasks")}</Text>
          <TasksButton run={run} />
        </HStack>
      )}
      <BranchButtons index={index} runKey={keyOf(run)} />
    </>
  );
}

function BranchButtons({ index, runKey }: { index: PlanIndex; runKey: string }) {
  const { t } = useWords();
  const { store } = useWizard();
  const take = useCallback(
    (taken: boolean) => {
      const keys = takeable(index, reachable([runKey], index.after), store.get().freezeMode);
      store.dispatch({ type: "take", keys, taken });
    },
    [index, runKey, store],
  );
  return (
    <HStack wrap="wrap" gap={2}>
      <Button size="xs" variant="outline" onClick={() => take(true)}>
        {t("wizard:panel.takeBranch")}
      </Button>
      <Button size="xs" variant="outline" onClick={() => take(false)}>
        {t("wizard:panel.leaveBranch")}
      </Button>
    </HStack>
  );
}

/** The Dags that hang on one of which no run can be told, folded away until somebody asks. */
function Behind({ dags }: { dags: readonly string[] }) {
  const { t } = useWords();
  if (dags.length === 0) {
    return null;
  }
  return (
    <details data-testid="behind">
      <summary>{t("wizard:links.behind", { count: dags.length })}</summary>
      <Stack as="ul" listStyleType="none" gap={0.5} mt={1}>
        {dags.map((dag) => (
          <Text as="li" key={dag} overflowWrap="anywhere">
            {dag}
          </Text>
        ))}
      </Stack>
    </details>
  );
}

function Reached({ index, runKey }: { index: PlanIndex; runKey: string }) {
  const { t } = useWords();
  const links = index.linksTo.get(runKey) ?? [];
  if (links.length === 0) {
    return null;
  }
  return (
    <Stack as="section" gap={2} aria-label={t("wizard:links.label")}>
      <Heading as="h3" size="xs">
        {t("wizard:links.label")}
      </Heading>
      {links.map((link, at) => (
        <LinkFacts key={at} link={link} />
      ))}
    </Stack>
  );
}
