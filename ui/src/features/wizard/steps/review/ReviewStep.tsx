import { Alert, HStack, List, Spinner, Stack, Text } from "@chakra-ui/react";

import { Loading, ProblemNotice } from "../../../../ui/feedback/Notices";
import { SilenceNotices } from "../../../../ui/feedback/SilenceNotices";
import { useWords } from "../../../../i18n/words";
import { keyOf } from "../../../../domain/runName";
import type { Difference } from "../../state/bodies";
import { useWizard } from "../../state/context";
import { useNames } from "../../../../ui/names";
import { OnlyPropose, RefusalNotice } from "../../submission/RefusalNotice";
import { ReviewRuns } from "./ReviewRuns";
import { SettingsSummary } from "./SettingsSummary";
import { useSubmission } from "../../submission/Submission";
import { Warnings } from "../../../../ui/feedback/Warnings";

/** Step 4: what will happen, in order. */
export function ReviewStep() {
  const { t } = useWords();
  const { plan, index } = useWizard();
  const { review, reviewing, onlyPropose, submit, changes } = useSubmission();
  const noPlan = plan.isError && !plan.isFetching && (
    <ProblemNotice error={plan.error} retry={() => void plan.refetch()} />
  );
  if (noPlan !== false && index === undefined) {
    return noPlan;
  }
  const refusal = submit.error ?? (reviewing ? null : review.error);
  return (
    <Stack gap={4} pb={4} aria-busy={reviewing} data-testid="review">
      {noPlan}
      <SilenceNotices />
      {reviewing && review.data !== undefined && (
        <HStack role="status" data-testid="asked-again">
          <Spinner size="sm" />
          {t("wizard:review.again")}
        </HStack>
      )}
      {onlyPropose && <OnlyPropose problem={onlyPropose} />}
      {refusal && <RefusalNotice error={refusal} />}
      {changes && <Accepted changes={changes} />}
      {index === undefined || (review.data === undefined && reviewing) ? <Loading /> : null}
      {index !== undefined && review.data !== undefined && !review.isError && (
        <>
          <ReviewWarnings />
          <ReviewRuns index={index} review={review.data} />
        </>
      )}
      <SettingsSummary />
    </Stack>
  );
}

function ReviewWarnings() {
  const { t } = useWords();
  const { review } = useSubmission();
  const warnings = review.data?.warnings ?? [];
  return warnings.length === 0 ? (
    <Alert.Root status="success" size="sm" textStyle="sm" py={2}>
      <Alert.Indicator />
      <Alert.Title>{t("wizard:review.noWarnings")}</Alert.Title>
    </Alert.Root>
  ) : (
    <Warnings warnings={warnings} />
  );
}

/** What a new plan has changed in the selection. */
function Accepted({ changes }: { changes: Difference }) {
  const { t } = useWords();
  const same = changes.dropped.length + changes.added.length === 0;
  return (
    <Alert.Root status="info" size="sm" textStyle="sm" py={2} data-testid="accepted">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{same ? t("wizard:stale.kept") : t("wizard:stale.done")}</Alert.Title>
        <Alert.Description>
          <Runs title={t("wizard:stale.dropped")} runs={changes.dropped} />
          <Runs title={t("wizard:stale.new")} runs={changes.added} />
        </Alert.Description>
      </Alert.Content>
    </Alert.Root>
  );
}

function Runs({ title, runs }: { title: string; runs: Difference["added"] }) {
  const { plannedName: nameOf } = useNames();
  if (runs.length === 0) {
    return null;
  }
  return (
    <>
      <Text>{title}</Text>
      <List.Root ps={4}>
        {runs.map((run) => (
          <List.Item key={keyOf(run)}>
            {run.dag_id} {nameOf(run)}
          </List.Item>
        ))}
      </List.Root>
    </>
  );
}
