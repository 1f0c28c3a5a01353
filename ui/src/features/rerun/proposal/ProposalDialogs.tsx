import { Alert, Field, Text, Textarea } from "@chakra-ui/react";
import { useState } from "react";

import { useApproval, useProposalReview, useRejection } from "../../../api/proposals";
import type { Member, ProposalRefusal, ProposalReview, Rerun } from "../../../api/types";
import { Said } from "../../../ui/Said";
import { useWords } from "../../../i18n/words";
import { ConfirmDialog } from "../../../ui/feedback/ConfirmDialog";
import { Warnings } from "../../../ui/feedback/Warnings";
import { type News, newsOf } from "./news";
import { NewsList } from "./NewsList";
import { Would } from "./ProposalNotice";
import { rejectionOf } from "./rejection";

interface DialogProps {
  rerun: Rerun;
  onClose: () => void;
}

type ApproveDialogProps = DialogProps & { members: readonly Member[] | undefined };

/**
 * Says what has changed since it was proposed. Who approves it then accepts that, and nothing that changes later. It
 * waits for all `members`: until they are there, what wasn't proposed can't be told from what was.
 */
export function ApproveDialog({ rerun, members, onClose }: ApproveDialogProps) {
  const { t } = useWords();
  const { data: review, isFetching } = useProposalReview(rerun.id);
  const approval = useApproval(rerun.id);
  const news = newsIn(review, members);
  const changed = review?.stale === true || news.length > 0;
  const refusal = review?.refusal ?? null;
  const act = () => approval.mutate((changed && review?.plan_token) || null, { onSuccess: onClose });
  return (
    <ConfirmDialog
      open
      title={t("record:ask.approve.title")}
      confirm={t(changed ? "record:proposal.approveChanged" : "record:action.approve")}
      busy={isFetching || members === undefined || approval.isPending}
      blocked={refusal !== null}
      error={approval.error}
      onConfirm={act}
      onClose={onClose}
    >
      <Text>{t("record:ask.approve.what")}</Text>
      {refusal && <Refused refusal={refusal} />}
      {members === undefined ? (
        <Text role="status">{t("record:ask.approve.loading")}</Text>
      ) : (
        <>
          <Text>{t(changed ? "record:ask.approve.changed" : "record:ask.approve.same")}</Text>
          <NewsList news={news} />
          {review && <Effects review={review} />}
        </>
      )}
    </ConfirmDialog>
  );
}

/** Why it can't be approved now. */
function Refused({ refusal }: { refusal: ProposalRefusal }) {
  const { t } = useWords();
  return (
    <Alert.Root status="error" size="sm" data-testid="approval-refused">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{t("record:proposal.standing.refused")}</Alert.Title>
        <Text overflowWrap="anywhere">
          <Said {...refusal} />
        </Text>
      </Alert.Content>
    </Alert.Root>
  );
}

/** To who sees but a part of it, the server doesn't tell what has changed, and a plan of that part would mislead. */
function newsIn(review: ProposalReview | undefined, members: readonly Member[] | undefined): News[] {
  return !review || !members || review.stale === null ? [] : newsOf(review, members);
}

/** How much the approval does, and what is to be known of it. */
function Effects({ review }: { review: ProposalReview }) {
  const { t } = useWords();
  const warnings = review.review?.warnings ?? [];
  return (
    <>
      {review.stale !== null && <Would review={review} />}
      {warnings.length > 0 && (
        <>
          <Text>{t("wizard:warnings.count", { count: warnings.length })}</Text>
          <Warnings warnings={warnings} />
        </>
      )}
    </>
  );
}

const LONGEST = 500;

/** Ends a proposal, with a reason if there is one to give. */
export function RejectDialog({ rerun, onClose }: DialogProps) {
  const { t } = useWords();
  const rejection = useRejection(rerun.id);
  const [reason, setReason] = useState("");
  const action = rejectionOf(rerun);
  return (
    <ConfirmDialog
      open
      title={t(`record:ask.${action}.title`)}
      confirm={t(`record:action.${action}`)}
      busy={rejection.isPending}
      error={rejection.error}
      onConfirm={() => rejection.mutate(reason.trim() || null, { onSuccess: onClose })}
      onClose={onClose}
    >
      <Text>{t(`record:ask.${action}.what`)}</Text>
      <Field.Root>
        <Field.Label>{t("record:proposal.why")}</Field.Label>
        <Textarea
          size="sm"
          rows={3}
          maxLength={LONGEST}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Field.Root>
    </ConfirmDialog>
  );
}
