import { Alert, Box, Heading, HStack, Spinner, Stack, Switch, Text } from "@chakra-ui/react";
import { useMemo } from "react";

import type { PlanRun } from "../../../../../api/types";
import { useWords } from "../../../../../i18n/words";
import { useWizard } from "../../../state/context";
import { RunCell } from "../../../parts/names";
import type { PlanIndex } from "../../../state/plan";
import { OnlyPropose, RefusalNotice } from "../../../submission/RefusalNotice";
import { RunTick } from "../../../parts/RunParts";
import { useDraft } from "../../../state/store";
import { useSubmission } from "../../../submission/Submission";
import { Warnings } from "../../../../../ui/feedback/Warnings";

interface OverviewProps {
  index: PlanIndex;
  onJump: (key: string) => void;
}

/** Freeze mode, what the plan takes in, and what the selection leads to. */
export function Overview({ index, onJump }: OverviewProps) {
  const { t } = useWords();
  const { hidden_dags: hidden } = index.plan;
  return (
    <Stack gap={4}>
      {hidden > 0 && (
        <Alert.Root status="warning" size="sm" textStyle="sm" py={2}>
          <Alert.Indicator />
          <Alert.Title>{t("wizard:hidden", { count: hidden })}</Alert.Title>
        </Alert.Root>
      )}
      <FreezeMode index={index} />
      <IncludeManual />
      <Outcome index={index} onJump={onJump} />
    </Stack>
  );
}

function FreezeMode({ index }: { index: PlanIndex }) {
  const { t } = useWords();
  const { store } = useWizard();
  const on = useDraft(store, (draft) => draft.freezeMode);
  const runs = useMemo(() => {
    const all = index.keys.map((key) => index.runs.get(key)).filter((run) => run !== undefined);
    return {
      hold: all.filter((run) => run.freeze_action === "hold"),
      stop: all.filter((run) => run.freeze_action === "stop"),
    };
  }, [index]);
  return (
    <Stack gap={2} as="section" aria-label={t("wizard:freeze.label")}>
      <Toggle
        label={t("wizard:freeze.label")}
        checked={on}
        onChange={(freezeMode) => store.dispatch({ type: "set", patch: { freezeMode } })}
      />
      <Text color="fg.muted">{t("wizard:freeze.explanation")}</Text>
      {runs.hold.length + runs.stop.length === 0 ? (
        <Text>{t("wizard:freeze.nothing")}</Text>
      ) : on ? (
        <>
          <Taken title={t("wizard:freeze.stopped", { count: runs.stop.length })} runs={runs.stop} />
          <Taken title={t("wizard:freeze.held", { count: runs.hold.length })} runs={runs.hold} />
        </>
      ) : (
        <Text>{t("wizard:freeze.possible", { hold: runs.hold.length, stop: runs.stop.length })}</Text>
      )}
    </Stack>
  );
}

const LISTED = 50;

function Taken({ title, runs }: { title: string; runs: readonly PlanRun[] }) {
  const { t } = useWords();
  if (runs.length === 0) {
    return null;
  }
  return (
    <Box>
      <Heading as="h3" size="xs" mb={1}>
        {title}
      </Heading>
      <Stack as="ul" listStyleType="none" gap={1}>
        {runs.slice(0, LISTED).map((run) => (
          <HStack as="li" key={`${run.dag_id} ${run.run_id} ${run.logical_date} ${run.partition_key}`} align="start">
            <RunTick run={run} mt={0.5} />
            <Text overflowWrap="anywhere">
              {run.dag_id} <RunCell run={run} />
            </Text>
          </HStack>
        ))}
      </Stack>
      {runs.length > LISTED && <Text color="fg.muted">{t("wizard:freeze.more", { count: runs.length - LISTED })}</Text>}
    </Box>
  );
}

function IncludeManual() {
  const { t } = useWords();
  const { store } = useWizard();
  const on = useDraft(store, (draft) => draft.includeManual);
  return (
    <Stack gap={2}>
      <Toggle
        label={t("wizard:manual.label")}
        checked={on}
        onChange={(includeManual) => store.dispatch({ type: "set", patch: { includeManual } })}
      />
      <Text color="fg.muted">{t("wizard:manual.explanation")}</Text>
    </Stack>
  );
}

interface ToggleProps {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

function Toggle({ label, checked, onChange }: ToggleProps) {
  return (
    <Switch.Root size="sm" colorPalette="brand" checked={checked} onCheckedChange={(to) => onChange(to.checked)}>
      <Switch.HiddenInput />
      <Switch.Control />
      <Switch.Label>{label}</Switch.Label>
    </Switch.Root>
  );
}

/** What the server says of the selection as it is now. */
function Outcome({ index, onJump }: OverviewProps) {
  const { t } = useWords();
  const { review, reviewing, onlyPropose } = useSubmission();
  const warnings = review.data?.warnings ?? index.plan.warnings;
  return (
    <Stack gap={2} as="section" aria-label={t("wizard:outcome.label")}>
      <HStack>
        <Heading as="h3" size="sm">
          {t("wizard:outcome.label")}
        </Heading>
        {reviewing && <Spinner role="status" size="xs" aria-label={t("loading")} />}
      </HStack>
      {onlyPropose && <OnlyPropose problem={onlyPropose} />}
      {review.isError && !reviewing && <RefusalNotice error={review.error} />}
      {!review.isError && warnings.length === 0 && <Text color="fg.muted">{t("wizard:outcome.nothing")}</Text>}
      {!review.isError && (
        <Box opacity={reviewing ? 0.6 : 1} aria-busy={reviewing}>
          <Warnings warnings={warnings} runs={index.runs} onJump={onJump} />
        </Box>
      )}
    </Stack>
  );
}
