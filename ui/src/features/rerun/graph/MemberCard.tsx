import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import { useCallback, useContext } from "react";
import { MdTimeline } from "react-icons/md";

import type { Member } from "../../../api/types";
import { RunLink } from "../../../ui/AirflowLink";
import { CardNote } from "../../../ui/graph/Cards";
import { bothNames } from "../../../ui/dagNames";
import { memberColor } from "../../../ui/StateBadge";
import { useWords } from "../../../i18n/words";
import type { RunName } from "../../../domain/runName";
import { useRecord } from "../context";
import { MemberStanding, useLook } from "../member/look";
import { useCause } from "../words";
import { useNames } from "../../../ui/names";

/** A member in the graph: what it is, where it stands, what it waits for. */
export function MemberCard({ member }: { member: Member }) {
  const { word } = useWords();
  const { memberName } = useNames();
  const { open } = useRecord();
  const look = useLook()(member);
  return (
    <Flex
      direction="column"
      gap={1}
      position="relative"
      height="100%"
      px={3}
      py={2}
      bg="bg"
      borderWidth="1px"
      borderLeftWidth="4px"
      borderLeftColor={`${memberColor(look)}.solid`}
      borderRadius="md"
      fontSize="xs"
      _hover={{ bg: "bg.subtle" }}
      data-member={member.id}
    >
      <Flex justify="space-between" gap={2}>
        {/* Its area is the whole card. */}
        <chakra.button
          type="button"
          tabIndex={-1}
          fontWeight="semibold"
          fontSize="sm"
          textAlign="left"
          truncate
          cursor="pointer"
          onClick={() => open(member.id)}
          _after={{ content: '""', position: "absolute", inset: 0 }}
        >
          <span title={bothNames(member.dag_display_name, member.dag_id)}>{member.dag_display_name}</span>
        </chakra.button>
        <OnPath member={member} />
        {member.role !== "downstream" && <Text color="fg.muted">{word("role", member.role)}</Text>}
      </Flex>
      <Box truncate title={[member.run_id, member.note].filter(Boolean).join("\n") || undefined}>
        {member.run_id === null ? (
          <Text as="span" color="fg.muted">
            {memberName(member)}
          </Text>
        ) : (
          <RunLink
            dagId={member.dag_id}
            runId={member.run_id}
            tabIndex={-1}
            position="relative"
            display="inline"
            fontSize="xs"
          />
        )}
      </Box>
      <Flex gap={2} align="center" mt="auto">
        <MemberStanding member={member} />
        <Attempt member={member} />
        <Stage member={member} />
      </Flex>
      <Standing member={member} />
    </Flex>
  );
}

/** That the end of the rerun hangs on it. */
function OnPath({ member }: { member: Member }) {
  const { t } = useWords();
  const { critical } = useRecord();
  const title = t("record:estimate.onPath");
  return critical.has(member.id) ? (
    <Box as="span" color="fg.info" fontSize="md" flexShrink={0} ml="auto" title={title} role="img" aria-label={title}>
      <MdTimeline aria-hidden="true" />
    </Box>
  ) : null;
}

function Attempt({ member }: { member: Member }) {
  const { t } = useWords();
  return member.attempt > 1 ? (
    <Text color="fg.muted">{t("record:member.attemptNumber", { count: member.attempt })}</Text>
  ) : null;
}

function Stage({ member: { stage, stages } }: { member: Member }) {
  const { t } = useWords();
  return stages.length > 0 ? (
    <Text color="fg.muted">{t("record:member.stageShort", { number: stage, count: stages.length })}</Text>
  ) : null;
}

/** What a member waits for, or why it stands where it does; else how much of it is rerun. */
function Standing({ member }: { member: Member }) {
  const { t } = useWords();
  const why = useCause();
  const waits = useWaits(member);
  const tasks = member.task_ids.length > 0 ? t("count.tasks", { count: member.task_ids.length }) : "";
  const until = member.state === "frozen" ? t("record:member.untilDone") : tasks;
  const text = waits || why(member.cause) || until;
  return (
    <Text id={useContext(CardNote)} truncate minHeight={4} color="fg.muted" title={text || undefined}>
      {text}
    </Text>
  );
}

function useWaits({ waiting_on: [first, ...others] }: Member): string {
  const { t } = useWords();
  return first === undefined
    ? ""
    : others.length === 0
      ? t("record:member.waitsForOne", { name: first.dag_id })
      : t("record:member.waitsForMore", { name: first.dag_id, count: others.length });
}

/** A run on the way that isn't part of the rerun. */
export function OtherCard({ run }: { run: RunName }) {
  const { t } = useWords();
  const { runName } = useNames();
  return (
    <Flex
      direction="column"
      gap={1}
      height="100%"
      px={3}
      py={2}
      bg="bg.subtle"
      color="fg.muted"
      borderWidth="1px"
      borderStyle="dashed"
      borderRadius="md"
      fontSize="xs"
    >
      <Text fontSize="sm" truncate>
        {run.dag_id}
      </Text>
      <Box truncate>
        {run.run_id ? (
          <RunLink dagId={run.dag_id} runId={run.run_id} tabIndex={-1} display="inline" fontSize="xs" />
        ) : (
          runName(run)
        )}
      </Box>
      <Text id={useContext(CardNote)} mt="auto">
        {t("record:graph.notPart")}
      </Text>
    </Flex>
  );
}

/** Names a card for screen readers. */
export function useCardName(): (run: Member | RunName | undefined) => string {
  const { t, lookWord } = useWords();
  const look = useLook();
  const { memberName, runName } = useNames();
  return useCallback(
    (run) => {
      if (run === undefined) {
        return "";
      }
      if ("state" in run) {
        return `${bothNames(run.dag_display_name, run.dag_id)} ${memberName(run)}: ${lookWord(look(run))}`;
      }
      return `${run.dag_id} ${runName(run)}: ${t("record:graph.notPart")}`;
    },
    [t, lookWord, look, memberName, runName],
  );
}
