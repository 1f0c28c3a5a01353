import { Code, Text } from "@chakra-ui/react";

import { type PlainAction, useMemberAction, useRerunAction } from "../../../api/reruns";
import type { Member, MemberAction, Rerun, RerunAction } from "../../../api/types";
import { ConfirmDialog } from "../../../ui/feedback/ConfirmDialog";
import { useWords } from "../../../i18n/words";
import { memberSentences, rerunSentences, type Sentence, titleOf } from "./asks";
import { useNames } from "../../../ui/names";
import { ApproveDialog, RejectDialog } from "../proposal/ProposalDialogs";

/** What a person wants to do: to the rerun, or to one member. */
export type Asked = { action: RerunAction; member?: undefined } | { action: MemberAction; member: Member };

interface ActionDialogProps {
  rerun: Rerun;
  /** Undefined until all of them are there. */
  members: readonly Member[] | undefined;
  asked: Asked | null;
  onClose: () => void;
}

/** Says what an action will do. It closes when it is done, and stays with the server's sentence when it is refused. */
export function ActionDialog({ rerun, members, asked, onClose }: ActionDialogProps) {
  if (asked === null) {
    return null;
  }
  if (asked.member !== undefined) {
    return <Dialog key={`${asked.action} ${asked.member.id}`} rerun={rerun} asked={asked} onClose={onClose} />;
  }
  switch (asked.action) {
    case "approve":
      return <ApproveDialog rerun={rerun} members={members} onClose={onClose} />;
    case "reject":
      return <RejectDialog rerun={rerun} onClose={onClose} />;
    default:
      return <Dialog key={asked.action} rerun={rerun} asked={{ action: asked.action }} onClose={onClose} />;
  }
}

type Plain = { action: PlainAction; member?: undefined } | { action: MemberAction; member: Member };

function Dialog({ rerun, asked, onClose }: Pick<ActionDialogProps, "rerun" | "onClose"> & { asked: Plain }) {
  const { t } = useWords();
  const { memberName } = useNames();
  const onRerun = useRerunAction(rerun.id);
  const onMember = useMemberAction(rerun.id);
  const { action, member } = asked;
  const say = ({ key, count }: Sentence) => t(`record:ask.${key}`, { count });
  const sentences = member ? memberSentences(rerun, action) : rerunSentences(rerun, action);
  const act = () => {
    if (member) {
      onMember.mutate({ memberId: member.id, action }, { onSuccess: onClose });
    } else {
      onRerun.mutate(action, { onSuccess: onClose });
    }
  };
  return (
    <ConfirmDialog
      open
      title={say(titleOf(rerun, action, member))}
      confirm={t(`record:action.${action}`)}
      danger={action === "terminate"}
      busy={onRerun.isPending || onMember.isPending}
      error={onRerun.error ?? onMember.error}
      onConfirm={act}
      onClose={onClose}
    >
      {member && (
        <Text>
          {member.dag_id} <Code overflowWrap="anywhere">{memberName(member)}</Code>
        </Text>
      )}
      {sentences.map((sentence) => (
        <Text key={sentence.key}>{say(sentence)}</Text>
      ))}
    </ConfirmDialog>
  );
}
