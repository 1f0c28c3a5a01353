import { Box, Button, Heading, HStack, Stack, Text } from "@chakra-ui/react";
import { useMemo } from "react";

import type { PlanRun } from "../../../../../api/types";
import { keyOf } from "../../../../../domain/runName";
import { useWords } from "../../../../../i18n/words";
import { NameAndId } from "../../../../../ui/dagNames";
import { RunCell } from "../../../parts/names";
import { RunTick } from "../../../parts/RunParts";
import { Toggle } from "../../../parts/Toggle";
import { useWizard } from "../../../state/context";
import type { PlanIndex } from "../../../state/plan";
import { useDraft } from "../../../state/store";

/** The switch, and the runs that it makes choosable: by default those are taken that would read wrong data. */
export function FreezeMode({ index }: { index: PlanIndex }) {
  const { t } = useWords();
  const { store } = useWizard();
  const on = useDraft(store, (draft) => draft.freezeMode);
  const runs = useMemo(() => freezable(index), [index]);
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
          <Picks runs={[...runs.stop, ...runs.hold]} />
          <Taken title={t("wizard:freeze.stopped", { count: runs.stop.length })} runs={runs.stop} />
          <Taken title={t("wizard:freeze.held", { count: runs.hold.length })} runs={runs.hold} />
        </>
      ) : (
        <Text>{t("wizard:freeze.possible", { hold: runs.hold.length, stop: runs.stop.length })}</Text>
      )}
    </Stack>
  );
}

/** What freeze mode can hold and stop, first what it takes by default. */
function freezable(index: PlanIndex): Record<"hold" | "stop", PlanRun[]> {
  const all = index.keys.map((key) => index.runs.get(key)).filter((run) => run !== undefined);
  const inOrder = [...all.filter((run) => run.freeze_selected), ...all.filter((run) => !run.freeze_selected)];
  return {
    hold: inOrder.filter((run) => run.freeze_action === "hold"),
    stop: inOrder.filter((run) => run.freeze_action === "stop"),
  };
}

function Picks({ runs }: { runs: readonly PlanRun[] }) {
  const { t } = useWords();
  const { store } = useWizard();
  const take = (wanted: (run: PlanRun) => boolean) => {
    for (const taken of [true, false]) {
      const keys = runs.filter((run) => wanted(run) === taken).map(keyOf);
      store.dispatch({ type: "take", keys, taken });
    }
  };
  return (
    <HStack gap={2} wrap="wrap" role="group" aria-label={t("wizard:freeze.picks")}>
      <Button size="xs" variant="outline" onClick={() => take(() => true)}>
        {t("wizard:freeze.all")}
      </Button>
      <Button size="xs" variant="outline" onClick={() => take(() => false)}>
        {t("wizard:freeze.none")}
      </Button>
      <Button size="xs" variant="outline" onClick={() => take((run) => run.freeze_selected)}>
        {t("wizard:freeze.onlyWrong")}
      </Button>
    </HStack>
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
          <HStack as="li" key={keyOf(run)} align="start">
            <RunTick run={run} mt={0.5} />
            <Box minWidth={0} overflowWrap="anywhere">
              <NameAndId name={run.dag_display_name} id={run.dag_id} /> <RunCell run={run} />
              <Text color="fg.muted">{t(`wizard:freeze.wrongData.${run.wrong_data ?? "none"}`)}</Text>
            </Box>
          </HStack>
        ))}
      </Stack>
      {runs.length > LISTED && <Text color="fg.muted">{t("wizard:freeze.more", { count: runs.length - LISTED })}</Text>}
    </Box>
  );
}
