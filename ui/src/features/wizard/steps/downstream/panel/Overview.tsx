import { Box, Heading, HStack, Stack, Switch, Text } from "@chakra-ui/react";
import { useMemo } from "react";

import type { PlanRun } from "../../../../../api/types";
import { useWords } from "../../../../../i18n/words";
import { useWizard } from "../../../state/context";
import { RunCell } from "../../../parts/names";
import type { PlanIndex } from "../../../state/plan";
import { RunTick } from "../../../parts/RunParts";
import { useDraft } from "../../../state/store";

/** Freeze mode, and what the plan takes in. */
export function Overview({ index }: { index: PlanIndex }) {
  return (
    <Stack gap={4}>
      <FreezeMode index={index} />
      <IncludeManual />
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
