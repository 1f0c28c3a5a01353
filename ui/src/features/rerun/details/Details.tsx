import { Alert, chakra, Heading, Stack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

import type { PlanWarning } from "../../../api/types";
import { Field } from "../../../ui/feedback/Notices";
import { Time } from "../../../ui/Time";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";

/** What was decided at submit, and what was warned of. */
export function RecordDetails() {
  const { t } = useWords();
  const { rerun } = useRecord();
  return (
    <Stack gap={6} pb={4} data-testid="details">
      <Section heading={t("record:details.settings")}>
        <Settings />
      </Section>
      <Section heading={t("record:details.notifications")}>
        <Notifications />
      </Section>
      <Section heading={t("record:details.warnings")}>
        {rerun.warnings.length === 0 && <Text color="fg.muted">{t("record:details.noWarnings")}</Text>}
        <Stack as="ul" gap={2} listStyleType="none">
          {rerun.warnings.map((warning, index) => (
            <WarningLine key={index} warning={warning} />
          ))}
        </Stack>
      </Section>
    </Stack>
  );
}

function Section({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <section>
      <Heading as="h2" size="sm" mb={2}>
        {heading}
      </Heading>
      {children}
    </section>
  );
}

function Settings() {
  const { t } = useWords();
  const { rerun } = useRecord();
  const { settings } = rerun;
  const chosen = (name: string, value: boolean | string | null) =>
    t(`record:details.${name}_${value}`, { defaultValue: String(value) });
  return (
    <chakra.dl display="grid" gridTemplateColumns="repeat(auto-fill, minmax(16rem, 1fr))" gap={3}>
      <Field label={t("word.startedAt")}>
        <Time value={rerun.started_at} />
      </Field>
      <Field label={t("record:details.freezeMode")}>
        {rerun.freeze_mode ? t("record:details.on") : t("record:details.off")}
      </Field>
      <Field label={t("record:details.maxActive")}>
        {settings.max_active_members ?? t("record:details.maxActiveDefault")}
      </Field>
      <Field label={t("record:details.onFailure")}>{chosen("onFailure", settings.on_failure)}</Field>
      <Field label={t("record:details.version")}>{chosen("version", settings.run_on_latest_version)}</Field>
      <Field label={t("record:details.stopOnTerminate")}>
        {chosen("stopOnTerminate", settings.stop_running_on_terminate)}
      </Field>
      <Field label={t("record:details.duplicates")}>{chosen("duplicates", settings.accept_duplicate_runs)}</Field>
      <Field label={t("record:details.offsets")}>{chosen("offsets", settings.accept_unknown_offsets)}</Field>
    </chakra.dl>
  );
}

function Notifications() {
  const { t } = useWords();
  const { rerun } = useRecord();
  if (rerun.notifications.length === 0) {
    return <Text color="fg.muted">{t("record:details.noNotifications")}</Text>;
  }
  const said = (condition: string) => t(`record:details.on_${condition}`, { defaultValue: condition });
  return (
    <chakra.dl display="flex" flexWrap="wrap" columnGap={8} rowGap={2}>
      {rerun.notifications.map(({ target, on }) => (
        <Field key={target} label={target}>
          {on.map(said).join(t("record:progress.and"))}
        </Field>
      ))}
    </chakra.dl>
  );
}

/** The server's sentence, with its kind in the person's language before it. */
function WarningLine({ warning }: { warning: PlanWarning }) {
  const { word } = useWords();
  return (
    <Alert.Root as="li" status="warning" size="sm">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{word("warning", warning.code)}</Alert.Title>
        <Alert.Description overflowWrap="anywhere">{warning.detail}</Alert.Description>
      </Alert.Content>
    </Alert.Root>
  );
}
