import { Alert, Box, Flex, Link, Stack, Text } from "@chakra-ui/react";
import { useContext } from "react";

import { hasEnded, isProposed } from "../../../api/reruns";
import type { Member } from "../../../api/types";
import { RunLink } from "../../../ui/AirflowLink";
import { NameAndId } from "../../../ui/dagNames";
import { ProblemNotice } from "../../../ui/feedback/Notices";
import { SilenceNotices } from "../../../ui/feedback/SilenceNotices";
import { useWords } from "../../../i18n/words";
import { MemberActions } from "../actions/Actions";
import { useRecord } from "../context";
import { FailedTasks } from "../member/FailedTasks";
import { LiveRunsContext } from "../member/LiveRuns";
import { useCause } from "../words";

/** So many failed members are named above the record; all of them stand in its table. */
const NAMED = 3;

interface RecordNoticesProps {
  members: readonly Member[];
  /** Why the last look got no answer. */
  problem: unknown;
  retry: () => void;
}

/** What a person should know before anything else. */
export function RecordNotices({ members, problem, retry }: RecordNoticesProps) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const live = useContext(LiveRunsContext);
  const trouble = problem ?? live.error;
  const again = () => {
    retry();
    live.refetch();
  };
  return (
    <Stack gap={2} mb={3} _empty={{ display: "none" }}>
      {trouble ? (
        <ProblemNotice follows error={trouble} retry={again}>
          <Text>{t("record:notice.stale")}</Text>
        </ProblemNotice>
      ) : null}
      <SilenceNotices watching={!hasEnded(rerun) && !isProposed(rerun)} />
      <FailedNotice failed={members.filter(({ state }) => state === "failed")} />
    </Stack>
  );
}

function FailedNotice({ failed }: { failed: readonly Member[] }) {
  const { t } = useWords();
  if (failed.length === 0) {
    return null;
  }
  const repairable = failed.some(({ allowed_actions }) => allowed_actions.length > 0);
  return (
    <Alert.Root status="error" size="sm" data-testid="failed-members">
      <Alert.Indicator />
      <Alert.Content gap={2}>
        <Alert.Title>
          {t("record:notice.failed", { count: failed.length })}{" "}
          {repairable && t("record:notice.failedHow", { count: failed.length })}
        </Alert.Title>
        <Stack as="ul" gap={2} listStyleType="none">
          {failed.slice(0, NAMED).map((member) => (
            <FailedMember key={member.id} member={member} />
          ))}
        </Stack>
        {failed.length > NAMED && <Text>{t("record:notice.failedMore", { count: failed.length - NAMED })}</Text>}
      </Alert.Content>
    </Alert.Root>
  );
}

function FailedMember({ member }: { member: Member }) {
  const { t } = useWords();
  const why = useCause();
  const { openTab } = useRecord();
  return (
    <Flex as="li" gap={3} align="center" wrap="wrap" data-member={member.id}>
      <Box minWidth={0}>
        <Text as="span" fontWeight="medium" overflowWrap="anywhere">
          <NameAndId name={member.dag_display_name} id={member.dag_id} />
        </Text>{" "}
        {member.run_id && (
          <RunLink dagId={member.dag_id} runId={member.run_id} color="inherit" textDecoration="underline" />
        )}
      </Box>
      <Text>{why(member.cause)}</Text>
      {member.cause?.word === "not_proven" && (
        <Link as="button" color="inherit" textDecoration="underline" onClick={() => openTab("proof")}>
          {t("record:proof.see")}
        </Link>
      )}
      <MemberActions member={member} />
      <FailedTasks member={member} />
    </Flex>
  );
}
