import { Field, Text, Textarea } from "@chakra-ui/react";
import { useState } from "react";

import { useApproval, useProposalReview, useRejection } from "../../../api/proposals";
import type { Member, Rerun } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { ConfirmDialog } from "../../../ui/feedback/ConfirmDialog";
import { newsOf } from "./news";
import { NewsList } from "./NewsList";
import { rejectionOf } from "./rejection";

interface DialogProps {
  rerun: Rerun;
  onClose: () => void;
}

/** Says what has changed since it was proposed. Who approves it then accepts that, and nothing that changes later. */
export function ApproveDialog({ rerun, members, onClose }: DialogProps & { members: readonly Member[] }) {
  const { t } = useWords();
  const { data: review, isFetching } = useProposalReview(rerun.id);
  const approval = useApproval(rerun.id);
  const stale = review?.stale === true;
  const news = review ? newsOf(review, members) : [];
  const act = () => approval.mutate(stale ? review.plan_token : null, { onSuccess: onClose });
  return (
    <ConfirmDialog
      open
      title={t("record:ask.approve.title")}
      confirm={t(stale ? "record:proposal.approveChanged" : "record:action.approve")}
      busy={isFetching || approval.isPending}
      error={approval.error}
      onConfirm={act}
      onClose={onClose}
    >
      <Text>{t("record:ask.approve.what")}</Text>
      {stale ? (
        <>
          <Text>{t("record:ask.approve.changed")}</Text>
          <NewsList news={news} />
        </>
      ) : (
        <Text>{t("record:ask.approve.same")}</Text>
      )}
    </ConfirmDialog>
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
