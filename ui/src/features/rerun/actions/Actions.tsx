import { Button, HStack } from "@chakra-ui/react";
import { MdAcUnit, MdCheck, MdClose, MdPause, MdPlayArrow, MdRedo, MdReplay, MdStop } from "react-icons/md";
import type { IconType } from "react-icons";

import type { Member, MemberAction, RerunAction } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { rejectionOf } from "../proposal/rejection";

const RERUN: readonly { action: RerunAction; icon: IconType }[] = [
  { action: "approve", icon: MdCheck },
  { action: "reject", icon: MdClose },
  { action: "resume", icon: MdPlayArrow },
  { action: "pause", icon: MdPause },
  { action: "release", icon: MdAcUnit },
  { action: "terminate", icon: MdStop },
];

const MEMBER: readonly { action: MemberAction; icon: IconType }[] = [
  { action: "retry", icon: MdReplay },
  { action: "skip", icon: MdRedo },
  { action: "release", icon: MdAcUnit },
];

/** What may be done with the rerun now, as the server says. */
export function RerunActions() {
  const { t } = useWords();
  const { rerun, askRerun } = useRecord();
  return RERUN.filter(({ action }) => rerun.allowed_actions.includes(action)).map(({ action, icon: Icon }) => (
    <Button
      key={action}
      size="sm"
      variant={action === "resume" || action === "approve" ? "solid" : "outline"}
      colorPalette={action === "terminate" ? "danger" : "brand"}
      onClick={() => askRerun(action)}
    >
      <Icon aria-hidden="true" />
      {t(`record:action.${action === "reject" ? rejectionOf(rerun) : action}`)}
    </Button>
  ));
}

/** What may be done with a member now, as the server says; nothing where that is nothing. */
export function MemberActions({ member, size = "xs" }: { member: Member; size?: "xs" | "2xs" }) {
  const { t } = useWords();
  const { askMember } = useRecord();
  const allowed = MEMBER.filter(({ action }) => member.allowed_actions.includes(action));
  if (allowed.length === 0) {
    return null;
  }
  return (
    <HStack gap={2}>
      {allowed.map(({ action, icon: Icon }) => (
        <Button
          key={action}
          size={size}
          variant="outline"
          colorPalette="brand"
          bg="bg"
          onClick={() => askMember(member, action)}
        >
          <Icon aria-hidden="true" />
          {t(`record:action.${action}`)}
        </Button>
      ))}
    </HStack>
  );
}
