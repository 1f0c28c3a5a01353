import { Code, Text } from "@chakra-ui/react";

import { useMemberAction } from "../../../api/reruns";
import { useRerunAction } from "../../../api/reruns";
import type { Member, MemberAction, Rerun, RerunAction } from "../../../api/types";
import { ConfirmDialog } from "../../../ui/feedback/ConfirmDialog";
import { useWords } from "../../../i18n/words";
import { memberSentences, rerunSentences, type Sentence, titleOf } from "./asks";
import { useNames } from "../../../ui/names";

/** What a person wants to do: to the rerun, or to one member. */
export type Asked = { action: RerunAction; member?: undefined } | { action: MemberAction; member: Member };

interface ActionDialogProps {
  rerun: Rerun;
  asked: Asked | null;
  onClose: () => void;
}

/** Says what an action will do. It closes when it is done, and stays with the server's sentence when it is refused. */
export function ActionDialog({ rerun, asked, onClose }: ActionDialogProps) {
  return asked === null ? null : (
    <Dialog key={`${asked.action} ${asked.member?.id}`} rerun={rerun} asked={asked} onClose={onClose} />
  );
}

function Dialog({ rerun, asked, onClose }: ActionDialogProps & { asked: Asked }) {
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
