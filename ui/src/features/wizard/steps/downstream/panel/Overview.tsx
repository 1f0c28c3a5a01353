import { Stack, Text } from "@chakra-ui/react";

import { useWords } from "../../../../../i18n/words";
import { useWizard } from "../../../state/context";
import { Toggle } from "../../../parts/Toggle";
import type { PlanIndex } from "../../../state/plan";
import { useDraft } from "../../../state/store";
import { FreezeMode } from "./FreezeMode";

/** Freeze mode, and what the plan takes in. */
export function Overview({ index }: { index: PlanIndex }) {
  return (
    <Stack gap={4}>
      <FreezeMode index={index} />
      <IncludeManual />
    </Stack>
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
