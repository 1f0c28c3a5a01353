import { Alert, Code, List, Text } from "@chakra-ui/react";
import { useState } from "react";

import { type PlainAction, useMemberAction, useRerunAction } from "../../../api/reruns";
import type { Member, MemberAction, Rerun, RerunAction, RerunEvent } from "../../../api/types";
import { ConfirmDialog } from "../../../ui/feedback/ConfirmDialog";
import { useWords } from "../../../i18n/words";
import { Time } from "../../../ui/Time";
import { byItself } from "../events/events";
import { memberSentences, rerunSentences, type Sentence, titleOf } from "./asks";
import { eventsSince, hasChanged, memberSeen, rerunSeen, seenNow } from "./seen";
import { useNames } from "../../../ui/names";
import { ApproveDialog, RejectDialog } from "../proposal/ProposalDialogs";

/** What a person wants to do: to the rerun, or to one member. */
export type Asked = { action: RerunAction; member?: undefined } | { action: MemberAction; member: Member };

interface ActionDialogProps {
  rerun: Rerun;
  /** Undefined until all of them are there. */
  members: readonly Member[] | undefined;
  events: readonly RerunEvent[];
  asked: Asked | null;
  onClose: () => void;
}

/** Says what an action will do. It closes when it is done, and stays with the server's sentence when it is refused. */
export function ActionDialog({ rerun, members, events, asked, onClose }: ActionDialogProps) {
  if (asked === null) {
    return null;
  }
  if (asked.member !== undefined) {
    const { id } = asked.member;
    const member = members?.find((each) => each.id === id) ?? asked.member;
    const now = { rerun, member, events };
    return <Dialog key={`${asked.action} ${id}`} now={now} asked={asked} onClose={onClose} />;
  }
  switch (asked.action) {
    case "approve":
      return <ApproveDialog rerun={rerun} members={members} onClose={onClose} />;
    case "reject":
      return <RejectDialog rerun={rerun} onClose={onClose} />;
    default:
      return (
        <Dialog
          key={asked.action}
          now={{ rerun, member: undefined, events }}
          asked={{ action: asked.action }}
          onClose={onClose}
        />
      );
  }
}

type Plain = { action: PlainAction; member?: undefined } | { action: MemberAction; member: Member };

/** How what is asked about stands at this moment. */
interface Now {
  rerun: Rerun;
  member: Member | undefined;
  events: readonly RerunEvent[];
}

function Dialog({ now, asked, onClose }: { now: Now; asked: Plain; onClose: () => void }) {
  const { t } = useWords();
  const { memberName } = useNames();
  const { rerun } = now;
  const onRerun = useRerunAction(rerun.id);
  const onMember = useMemberAction(rerun.id);
  const { action, member } = asked;
  const [seen] = useState(() => seenNow(rerun, member, now.events));
  const { isPending: busy, isSuccess: done } = member ? onMember : onRerun;
  const changed = !busy && !done && hasChanged(seen, rerun, now.member, now.events);
  const say = ({ key, count }: Sentence) => t(`record:ask.${key}`, { count });
  const sentences = member ? memberSentences(rerun, action) : rerunSentences(rerun, action);
  const act = () => {
    if (member) {
      onMember.mutate({ memberId: member.id, action, seen: memberSeen(seen) }, { onSuccess: onClose });
    } else {
      onRerun.mutate({ action, seen: rerunSeen(seen) }, { onSuccess: onClose });
    }
  };
  return (
    <ConfirmDialog
      open
      title={say(titleOf(rerun, action, member))}
      confirm={t(`record:action.${action}`)}
      danger={action === "terminate"}
      busy={busy}
      blocked={changed}
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
      {changed && <Meanwhile events={eventsSince(seen, now.member, now.events)} />}
    </ConfirmDialog>
  );
}

const TOLD = 5;

/** What has happened since the dialog was opened: what it says is old. */
function Meanwhile({ events }: { events: readonly RerunEvent[] }) {
  const { t } = useWords();
  return (
    <Alert.Root status="warning" size="sm" data-testid="changed-meanwhile">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{t("record:ask.meanwhile.title")}</Alert.Title>
        <Alert.Description>
          <List.Root ps={4}>
            {events.slice(-TOLD).map((event) => (
              <List.Item key={event.id}>
                <Time value={event.at} /> {byItself(event) ? t("record:events.itself") : event.actor}
                {": "}
                {t(`record:event.${event.action}`, { defaultValue: event.action })}
              </List.Item>
            ))}
          </List.Root>
          <Text>{t("record:ask.meanwhile.what")}</Text>
        </Alert.Description>
      </Alert.Content>
    </Alert.Root>
  );
}
