import { Alert, chakra, Heading, Stack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

import type { PlanWarning } from "../../../api/types";
import { Field } from "../../../ui/feedback/Notices";
import { Said } from "../../../ui/Said";
import { SettingFacts } from "../../../ui/SettingFacts";
import { Time } from "../../../ui/Time";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { DagsOfRerun } from "./DagLabels";
import { Notifications } from "./Notifications";

/** What was decided at submit, and what was warned of. */
export function RecordDetails() {
  const { t } = useWords();
  const { rerun } = useRecord();
  return (
    <Stack gap={6} pb={4} data-testid="details">
      <Section heading={t("record:details.settings")}>
        <Settings />
      </Section>
      <Section heading={t("record:details.dags")}>
        <DagsOfRerun />
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
  return (
    <chakra.dl display="grid" gridTemplateColumns="repeat(auto-fill, minmax(16rem, 1fr))" gap={3}>
      <Field label={t("word.startedAt")}>
        <Time value={rerun.started_at} />
      </Field>
      <Field label={t("wizard:freeze.label")}>{rerun.freeze_mode ? t("yes") : t("no")}</Field>
      <SettingFacts settings={rerun.settings} />
    </chakra.dl>
  );
}

/** A warning, with its kind before it. */
function WarningLine({ warning }: { warning: PlanWarning }) {
  const { word } = useWords();
  return (
    <Alert.Root as="li" status="warning" size="sm">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{word("warning", warning.code)}</Alert.Title>
        <Alert.Description overflowWrap="anywhere">
          <Said {...warning} />
        </Alert.Description>
      </Alert.Content>
    </Alert.Root>
  );
}
