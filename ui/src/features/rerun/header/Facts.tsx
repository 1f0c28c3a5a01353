import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import { useContext } from "react";
import { MdLock, MdReportProblem, MdVisibilityOff } from "react-icons/md";

import { isProposed, wasCarriedOut } from "../../../api/reruns";
import type { Estimate, Member, RerunEvent } from "../../../api/types";
import { RunLink } from "../../../ui/AirflowLink";
import { DagName } from "../../../ui/dagNames";
import { Field } from "../../../ui/feedback/Notices";
import { Time } from "../../../ui/Time";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { ProgressBar } from "../../../ui/ProgressBar";
import { RerunDuration } from "../../../ui/RerunDuration";
import { stateSince } from "../events/events";
import { EstimateFacts } from "./EstimateFacts";
import { useCause } from "../words";
import { LiveRunsContext } from "../member/LiveRuns";
import { unaskedOf, useLook } from "../member/look";

interface RecordFactsProps {
  events: readonly RerunEvent[];
  estimate: Estimate | undefined;
  members: readonly Member[];
}

/** What a rerun is about and how far it is, at a glance. */
export function RecordFacts({ events, estimate, members }: RecordFactsProps) {
  const { t } = useWords();
  const { rerun } = useRecord();
  return (
    <Flex direction="column" gap={2}>
      <Flex wrap="wrap" columnGap={8} rowGap={1} _empty={{ display: "none" }}>
        <StateLine events={events} />
        {rerun.reason && (
          <Text overflowWrap="anywhere" maxWidth="70rem">
            {t("record:header.reason", { reason: rerun.reason })}
          </Text>
        )}
        <NotMadeAnewNote />
        <HiddenMembers />
      </Flex>
      <chakra.dl display="flex" flexWrap="wrap" columnGap={8} rowGap={2}>
        <Field label={t("word.source")}>
          <Text as="span" minWidth={0} overflowWrap="anywhere">
            <DagName dagId={rerun.source.dag_id} />
          </Text>
          <RunLink dagId={rerun.source.dag_id} runId={rerun.source.run_id} />
        </Field>
        <Authors />
        {wasCarriedOut(rerun) && <Course estimate={estimate} members={members} />}
      </chakra.dl>
    </Flex>
  );
}

/** Who made it and when; of a proposal, until when it can be approved. */
function Authors() {
  const { t } = useWords();
  const { rerun } = useRecord();
  const approved = rerun.approved_by !== null;
  return (
    <>
      {rerun.proposed_by !== null && (
        <>
          <Field label={t("record:proposal.by")}>{rerun.proposed_by}</Field>
          <Field label={t("record:proposal.at")}>
            <Time value={rerun.proposed_at} />
          </Field>
        </>
      )}
      {wasCarriedOut(rerun) && (
        <>
          <Field label={t(approved ? "record:proposal.approvedBy" : "word.createdBy")}>{rerun.created_by}</Field>
          <Field label={t(approved ? "record:proposal.approvedAt" : "word.createdAt")}>
            <Time value={rerun.created_at} />
          </Field>
        </>
      )}
      {rerun.expires_at !== null && (
        <Field label={t("record:proposal.until")}>
          <Time value={rerun.expires_at} />
        </Field>
      )}
      {!isProposed(rerun) && (
        <Field label={t("word.endedAt")}>
          <Time value={rerun.ended_at} />
        </Field>
      )}
    </>
  );
}

/** How far it is. */
function Course({ estimate, members }: Pick<RecordFactsProps, "estimate" | "members">) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const look = useLook();
  const queued = members.filter((member) => look(member) === "queued").length;
  const unasked = unaskedOf(members, useContext(LiveRunsContext).runs);
  return (
    <>
      <Field label={t("word.duration")}>
        <RerunDuration rerun={rerun} />
      </Field>
      <EstimateFacts estimate={estimate} />
      <Field label={t("record:progress.label")}>
        <Box pt={2} minWidth={0}>
          <ProgressBar counts={rerun.counts} queued={queued} width="min(25rem, calc(100vw - 2rem))" />
          {unasked > 0 && (
            <Text fontSize="xs" color="fg.muted">
              {t("record:progress.unasked", { count: unasked })}
            </Text>
          )}
        </Box>
      </Field>
    </>
  );
}

/** Why the rerun stands where it does, by whom and since when. */
function StateLine({ events }: { events: readonly RerunEvent[] }) {
  const { t } = useWords();
  const said = useCause();
  const { rerun } = useRecord();
  const since = stateSince(events);
  const rejected = ({ actor, detail }: RerunEvent) => {
    const key = actor === rerun.proposed_by ? "withdrawnBy" : "rejectedBy";
    return [t(`record:proposal.${key}`, { name: actor }), detail].filter(Boolean).join(": ");
  };
  if (rerun.cause === null) {
    return null;
  }
  return (
    <Text data-testid="rerun-reason">
      {since?.action === "reject" ? rejected(since) : said(rerun.cause)}
      {since && (
        <>
          {" · "}
          <Time value={since.at} />
        </>
      )}
    </Text>
  );
}

/** That not all of what was wrong is right now. */
function NotMadeAnewNote() {
  const { t } = useWords();
  const { rerun } = useRecord();
  return rerun.not_made_anew > 0 ? (
    <Flex gap={1} align="center" color="fg.warning" data-testid="not-made-anew">
      <MdReportProblem aria-hidden="true" />
      <Text>{t("record:left.note", { count: rerun.not_made_anew })}</Text>
    </Flex>
  ) : null;
}

/** That there is more than the person may see. */
function HiddenMembers() {
  const { t } = useWords();
  const { rerun } = useRecord();
  return rerun.hidden_members > 0 ? (
    <Flex gap={1} align="center" color="fg.info" data-testid="hidden-members">
      <MdVisibilityOff aria-hidden="true" />
      <Text>{t("record:notice.hidden", { count: rerun.hidden_members })}</Text>
    </Flex>
  ) : null;
}

/** That nothing will change here any more. */
export function EndedNote() {
  const { t } = useWords();
  return (
    <Flex gap={2} align="center" color="fg.muted" data-testid="record-ended">
      <MdLock aria-hidden="true" />
      <Text>{t("record:header.ended")}</Text>
    </Flex>
  );
}
