import { Box, Text } from "@chakra-ui/react";

import type { Member } from "../../../api/types";
import { RunLink } from "../../../ui/AirflowLink";
import { Hint } from "../../../ui/Hint";
import { AirflowStateBadge } from "../../../ui/StateBadge";
import { secondsBetween, shownDuration } from "../../../domain/dates";
import { useWords } from "../../../i18n/words";
import { useClock } from "../../../ui/useClock";
import { useNames } from "../../../ui/names";
import { useLiveRun } from "./LiveRuns";

/** Outside of a text that is cut, the ring of the focus would be cut, too. */
const INSIDE = { outlineOffset: "-2px" };

/** A member's run with the way to Airflow's page of it, and its id at submit where that was another one. */
export function MemberRun({ member, maxWidth }: { member: Member; maxWidth?: string }) {
  const { t } = useWords();
  const { memberName } = useNames();
  const was = member.original_run_id !== member.run_id ? member.original_run_id : null;
  return (
    <Box truncate={maxWidth !== undefined} maxWidth={maxWidth} title={member.run_id ?? undefined}>
      {member.run_id === null ? (
        <Text as="span" color="fg.muted">
          {memberName(member)}
        </Text>
      ) : (
        <RunLink dagId={member.dag_id} runId={member.run_id} display="inline" _focusVisible={INSIDE} />
      )}
      {was && (
        <Text as="span" color="fg.muted" title={was}>
          {" "}
          {t("record:member.was", { run: was })}
        </Text>
      )}
    </Box>
  );
}

/** The runs that a member waits for, the first by name. */
export function WaitsFor({ member }: { member: Member }) {
  const { t } = useWords();
  const [first, ...others] = member.waiting_on;
  if (first === undefined) {
    return <>{t("none")}</>;
  }
  const all = member.waiting_on.map(({ dag_id, run_id }) => `${dag_id} ${run_id}`).join("\n");
  return (
    <Hint text={others.length > 0 ? all : undefined}>
      <Text as="span" tabIndex={others.length > 0 ? 0 : undefined}>
        {first.dag_id} {others.length > 0 && t("record:member.more", { count: others.length })}
      </Text>
    </Hint>
  );
}

/** How long a member has been on its way; it counts on while it is. */
export function MemberDuration({ member }: { member: Member }) {
  const { t } = useWords();
  const { dispatched_at, ended_at, state } = member;
  const now = useClock(dispatched_at !== null && ended_at === null);
  if (dispatched_at === null || (ended_at === null && state !== "running")) {
    return <>{t("none")}</>;
  }
  return <>{shownDuration(secondsBetween(dispatched_at, ended_at, now))}</>;
}

/** How the run is in Airflow at this moment. */
export function InAirflow({ member }: { member: Member }) {
  const { t } = useWords();
  const { state } = useLiveRun(member);
  if (member.run_id === null) {
    return <Text color="fg.muted">{member.state === "frozen" ? t("record:member.notMade") : t("none")}</Text>;
  }
  return <AirflowStateBadge state={state ?? "gone"} variant="outline" data-testid="live-state" />;
}

/** How the run was when the member's part in the rerun ended. */
export function AtTheEnd({ member }: { member: Member }) {
  const { t } = useWords();
  return member.final_run_state === null ? (
    <>{t("none")}</>
  ) : (
    <AirflowStateBadge state={member.final_run_state} variant="outline" data-testid="final-state" />
  );
}
