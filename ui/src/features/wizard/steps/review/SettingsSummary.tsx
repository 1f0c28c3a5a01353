import { Heading, SimpleGrid, Stack } from "@chakra-ui/react";

import { Field } from "../../../../ui/feedback/Notices";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";
import { useDraft } from "../../state/store";

/** The settings as they were made. */
export function SettingsSummary() {
  const { t } = useWords();
  const { store } = useWizard();
  const draft = useDraft(store, (each) => each);
  const { settings } = draft;
  const version =
    settings.runOnLatestVersion === null
      ? t("wizard:settings.versionConfigured")
      : settings.runOnLatestVersion
        ? t("wizard:settings.versionLatest")
        : t("wizard:settings.versionOwn");
  const told = Object.entries(draft.notifications).flatMap(([target, on]) =>
    on.length === 0 ? [] : `${target}: ${on.map((condition) => t(`wizard:notify.${condition}`)).join(", ")}`,
  );
  return (
    <Stack as="section" gap={1} aria-label={t("wizard:step.settings")}>
      <Heading as="h3" size="sm">
        {t("wizard:step.settings")}
      </Heading>
      <SimpleGrid as="dl" columns={{ base: 1, sm: 2, lg: 4 }} gap={3}>
        <Field label={t("word.name")}>{draft.name.trim() || t("none")}</Field>
        <Field label={t("word.reason")}>{draft.reason.trim() || t("none")}</Field>
        <Field label={t("wizard:settings.limit")}>
          {settings.maxActiveMembers.trim() || t("wizard:settings.limitDefault")}
        </Field>
        <Field label={t("wizard:settings.onFailure")}>
          {settings.onFailure === "pause" ? t("wizard:settings.pause") : t("wizard:settings.goOn")}
        </Field>
        <Field label={t("wizard:settings.version")}>{version}</Field>
        <Field label={t("wizard:settings.stop")}>{settings.stopRunningOnTerminate ? t("yes") : t("no")}</Field>
        <Field label={t("wizard:freeze.label")}>{draft.freezeMode ? t("yes") : t("no")}</Field>
        {settings.acceptDuplicateRuns && <Field label={t("wizard:settings.duplicates")}>{t("yes")}</Field>}
        {settings.acceptUnknownOffsets && <Field label={t("wizard:settings.offsets")}>{t("yes")}</Field>}
        <Field label={t("wizard:notify.label")}>{told.join("; ") || t("none")}</Field>
      </SimpleGrid>
    </Stack>
  );
}
