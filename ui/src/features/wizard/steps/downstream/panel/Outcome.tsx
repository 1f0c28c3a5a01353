import { Alert, Box, Heading, HStack, Spinner, Stack, Text } from "@chakra-ui/react";

import { useWords } from "../../../../../i18n/words";
import type { PlanIndex } from "../../../state/plan";
import { OnlyPropose, RefusalNotice } from "../../../submission/RefusalNotice";
import { useSubmission } from "../../../submission/Submission";
import { Warnings } from "../../../../../ui/feedback/Warnings";

interface OutcomeProps {
  index: PlanIndex;
  onJump: (key: string) => void;
}

/** So many lines are in sight beside the runs, in a tab on a screen of 1440×900. */
const LINES = 17;

/** What the server says of the selection as it is now. */
export function Outcome({ index, onJump }: OutcomeProps) {
  const { t } = useWords();
  const { review, reviewing, onlyPropose } = useSubmission();
  const { hidden_dags: hidden } = index.plan;
  const warnings = review.data?.warnings ?? index.plan.warnings;
  return (
    <Stack gap={2} as="section" aria-label={t("wizard:outcome.label")}>
      <HStack>
        <Heading as="h3" size="sm">
          {t("wizard:outcome.label")}
        </Heading>
        {reviewing && <Spinner role="status" size="xs" aria-label={t("loading")} />}
      </HStack>
      {hidden > 0 && (
        <Alert.Root status="warning" size="sm" textStyle="sm" py={2}>
          <Alert.Indicator />
          <Alert.Title>{t("wizard:hidden", { count: hidden })}</Alert.Title>
        </Alert.Root>
      )}
      {onlyPropose && <OnlyPropose problem={onlyPropose} />}
      {review.isError && !reviewing && <RefusalNotice error={review.error} />}
      {!review.isError && warnings.length === 0 && <Text color="fg.muted">{t("wizard:outcome.nothing")}</Text>}
      {!review.isError && (
        <Box aria-busy={reviewing}>
          <Warnings warnings={warnings} lines={LINES} runs={index.runs} onJump={onJump} />
        </Box>
      )}
    </Stack>
  );
}
