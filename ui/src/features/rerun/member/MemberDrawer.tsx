import { chakra, CloseButton, Drawer, Flex, Heading, Portal, Stack, Text } from "@chakra-ui/react";

import type { Link, Member, RerunEvent, RunRef } from "../../../api/types";
import { CopyId } from "../../../ui/CopyId";
import { NameAndId } from "../../../ui/dagNames";
import { Field } from "../../../ui/feedback/Notices";
import { Time } from "../../../ui/Time";
import { useWords } from "../../../i18n/words";
import { MemberActions } from "../actions/Actions";
import { useRecord } from "../context";
import { LabelFacts } from "../details/DagLabels";
import { useCause } from "../words";
import { Attempts } from "./Attempts";
import { DagTasks } from "./DagTasks";
import { FailedTasks } from "./FailedTasks";
import { useLiveRun } from "./LiveRuns";
import { MemberStanding } from "./look";
import { MemberLinks } from "./MemberLinks";
import { MemberTasks, taskName } from "./MemberTasks";
import { AtTheEnd, InAirflow, MemberDuration, MemberRun } from "./MemberParts";
import { useNames } from "../../../ui/names";

interface MemberDrawerProps {
  member: Member | undefined;
  members: readonly Member[];
  links: readonly Link[];
  events: readonly RerunEvent[];
  onClose: () => void;
}

/** Everything about one member, beside the record. */
export function MemberDrawer({ member, onClose, ...record }: MemberDrawerProps) {
  const { t } = useWords();
  return (
    <Drawer.Root
      open={member !== undefined}
      onOpenChange={({ open }) => {
        if (!open) {
          onClose();
        }
      }}
      size="md"
    >
      <Portal>
        <Drawer.Backdrop />
        <Drawer.Positioner>
          <Drawer.Content data-testid="member-drawer">
            {member && (
              <>
                <Drawer.Header>
                  <Drawer.Title>
                    <NameAndId name={member.dag_display_name} id={member.dag_id} />
                  </Drawer.Title>
                  {member.dag_display_name !== member.dag_id && <CopyId id={member.dag_id} />}
                </Drawer.Header>
                <Drawer.Body>
                  <MemberDetails member={member} {...record} />
                </Drawer.Body>
                <Drawer.CloseTrigger asChild>
                  <CloseButton size="sm" aria-label={t("action.close")} />
                </Drawer.CloseTrigger>
              </>
            )}
          </Drawer.Content>
        </Drawer.Positioner>
      </Portal>
    </Drawer.Root>
  );
}

interface MemberDetailsProps {
  member: Member;
  members: readonly Member[];
  links: readonly Link[];
  events: readonly RerunEvent[];
}

function MemberDetails({ member, members, links, events }: MemberDetailsProps) {
  const { t } = useWords();
  const why = useCause();
  const { openTab } = useRecord();
  return (
    <Stack gap={5} pb={6}>
      <Stack gap={2}>
        <MemberRun member={member} />
        {member.note && (
          <Text color="fg.muted" whiteSpace="pre-line" overflowWrap="anywhere" data-testid="note">
            {member.note}
          </Text>
        )}
        <Flex gap={3} align="center" wrap="wrap">
          <MemberStanding member={member} />
          <Text>{why(member.cause)}</Text>
          {member.cause?.word === "not_proven" && (
            <chakra.button type="button" color="fg.info" cursor="pointer" onClick={() => openTab("proof")}>
              {t("record:proof.see")}
            </chakra.button>
          )}
        </Flex>
        <MemberActions member={member} />
        {member.state === "failed" && <FailedTasks member={member} />}
      </Stack>
      <MemberFacts member={member} />
      <Attempts member={member} events={events} />
      {member.waiting_on.length > 0 && <Waits runs={member.waiting_on} members={members} />}
      <MemberTasks member={member} />
      <DagTasks key={member.id} member={member} />
      <MemberLinks heading={t("record:member.readsFrom")} side="upstream" {...{ member, members, links }} />
      <MemberLinks heading={t("record:member.isReadBy")} side="downstream" {...{ member, members, links }} />
    </Stack>
  );
}

function MemberFacts({ member }: { member: Member }) {
  const { t, word, list } = useWords();
  const frozen = member.role === "frozen";
  return (
    <chakra.dl display="grid" gridTemplateColumns="1fr 1fr" gap={3}>
      <Field label={t("record:member.role")}>{word("role", member.role)}</Field>
      <Field label={t("word.logicalDate")}>
        <Time value={member.logical_date} />
      </Field>
      <Field label={frozen ? t("record:member.trueRunAfter") : t("word.runAfter")}>
        <Time value={member.run_after} />
      </Field>
      {frozen ? (
        <FrozenSince member={member} />
      ) : (
        <>
          <Field label={t("word.level")}>{member.depth}</Field>
          <Field label={t("record:member.attempt")}>{member.attempt}</Field>
          {member.stages.length > 0 && (
            <Field label={t("record:member.stage")}>
              {t("record:member.stageOf", {
                number: member.stage,
                count: member.stages.length,
                tasks: list(member.stages[member.stage - 1]?.map(taskName) ?? []),
              })}
            </Field>
          )}
          <Field label={t("record:member.dispatchedAt")}>
            <Time value={member.dispatched_at} />
          </Field>
        </>
      )}
      <Field label={t("word.endedAt")}>
        <Time value={member.ended_at} />
      </Field>
      <Field label={t("word.duration")}>
        <MemberDuration member={member} />
      </Field>
      <Field label={t("record:member.atTheEnd")}>
        <AtTheEnd member={member} />
      </Field>
      <Field label={t("record:member.inAirflow")}>
        <InAirflow member={member} />
      </Field>
      <LabelFacts dagId={member.dag_id} />
    </chakra.dl>
  );
}

/** A run is frozen from the submit on. */
function FrozenSince({ member }: { member: Member }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const { run_after } = useLiveRun(member);
  const shifted = member.state === "frozen" && run_after && run_after !== member.run_after;
  return (
    <>
      <Field label={t("record:member.frozenSince")}>
        <Time value={rerun.created_at} />
      </Field>
      {shifted && (
        <Field label={t("record:member.heldUntil")}>
          <Time value={run_after} />
        </Field>
      )}
    </>
  );
}

function Waits({ runs, members }: { runs: readonly RunRef[]; members: readonly Member[] }) {
  const { t } = useWords();
  const { open } = useRecord();
  const { memberName } = useNames();
  const of = (run: RunRef) => members.find(({ dag_id, run_id }) => dag_id === run.dag_id && run_id === run.run_id);
  return (
    <section>
      <Heading as="h3" size="sm" mb={2}>
        {t("record:member.waitsFor")}
      </Heading>
      <Stack as="ul" gap={2} listStyleType="none">
        {runs.map((run) => {
          const member = of(run);
          return (
            <Flex as="li" key={`${run.dag_id} ${run.run_id}`} gap={2} align="center" wrap="wrap">
              {member ? (
                <>
                  <chakra.button
                    type="button"
                    color="fg.info"
                    textAlign="left"
                    cursor="pointer"
                    onClick={() => open(member.id)}
                  >
                    {member.dag_display_name} {memberName(member)}
                  </chakra.button>
                  <MemberStanding member={member} />
                </>
              ) : (
                `${run.dag_id} ${run.run_id}`
              )}
            </Flex>
          );
        })}
      </Stack>
    </section>
  );
}
