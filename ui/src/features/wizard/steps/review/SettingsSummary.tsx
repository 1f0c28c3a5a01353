import { Heading, SimpleGrid, Stack } from "@chakra-ui/react";

import { sentSettings } from "../../../../domain/settings";
import { Field } from "../../../../ui/feedback/Notices";
import { SettingFacts } from "../../../../ui/SettingFacts";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";
import { nameOf, useProposedName } from "../../state/name";
import { useDraft } from "../../state/store";

/** The settings as they were made. */
export function SettingsSummary() {
  const { t, list } = useWords();
  const { store } = useWizard();
  const draft = useDraft(store, (each) => each);
  const proposed = useProposedName();
  const told = Object.entries(draft.notifications).flatMap(([target, on]) =>
    on.length === 0 ? [] : `${target}: ${list(on.map((condition) => t(`wizard:notify.${condition}`)))}`,
  );
  return (
    <Stack as="section" gap={1} aria-label={t("wizard:step.settings")}>
      <Heading as="h3" size="sm">
        {t("wizard:step.settings")}
      </Heading>
      <SimpleGrid as="dl" columns={{ base: 1, sm: 2, lg: 4 }} gap={3}>
        <Field label={t("word.name")}>{nameOf(draft.name, proposed) ?? t("none")}</Field>
        <Field label={t("word.reason")}>{draft.reason.trim() || t("none")}</Field>
        <SettingFacts settings={sentSettings(draft.settings)} />
        <Field label={t("wizard:freeze.label")}>{draft.freezeMode ? t("yes") : t("no")}</Field>
        <Field label={t("wizard:notify.label")}>{told.join("; ") || t("none")}</Field>
      </SimpleGrid>
    </Stack>
  );
}
