import { Box, chakra, Flex, HStack, Text } from "@chakra-ui/react";
import { memo } from "react";

import type { Member } from "../../../api/types";
import { memberColor } from "../../../ui/StateBadge";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { placeOf, type Scale, type Span, type TimelineRow } from "./timeline";
import { useTimelineText } from "./timelineText";
import { useNames } from "../../../ui/names";
import { useLook } from "../member/look";

export const ROW_HEIGHT = 34;
export const LABEL_WIDTH = "19rem";

interface TimelineRowViewProps {
  top: number;
  index: number;
  total: number;
  member: Member;
  row: TimelineRow;
  scale: Scale;
  now: number;
  /** The members that it reads from. */
  before: readonly Member[];
}

/** One run: its name, which leads to all about it, and its stretches of time. */
export const TimelineRowView = memo(function TimelineRowView(props: TimelineRowViewProps) {
  const { member, row, scale, now } = props;
  const { open } = useRecord();
  const { memberName } = useNames();
  const look = useLook()(member);
  const text = useTimelineText(member, row, props.before, now);
  const waitColor = member.role === "frozen" ? "info.emphasized" : "queued.emphasized";
  return (
    <Flex
      role="listitem"
      aria-posinset={props.index + 1}
      aria-setsize={props.total}
      position="absolute"
      left={0}
      right={0}
      borderBottomWidth="1px"
      _hover={{ bg: "bg.subtle" }}
      style={{ top: props.top, height: ROW_HEIGHT }}
      title={text}
      data-row={member.id}
    >
      <chakra.button
        type="button"
        width={LABEL_WIDTH}
        flexShrink={0}
        px={3}
        textAlign="left"
        truncate
        cursor="pointer"
        aria-label={text}
        onClick={() => open(member.id)}
      >
        <chakra.span color="fg.info">{member.dag_display_name}</chakra.span>{" "}
        <chakra.span color="fg.muted" fontSize="xs">
          {memberName(member)}
        </chakra.span>
      </chakra.button>
      <Box position="relative" flex="1" mr={4} aria-hidden="true">
        {row.waits.map((span) => (
          <Bar key={span.start} span={span} scale={scale} now={now} color={waitColor} thin />
        ))}
        {row.runs.map((span, index) => (
          <Bar
            key={span.start}
            span={span}
            scale={scale}
            now={now}
            color={`${memberColor(index === row.runs.length - 1 && span.end === null ? look : span.state)}.solid`}
          />
        ))}
      </Box>
    </Flex>
  );
});

interface BarProps {
  span: Span;
  scale: Scale;
  now: number;
  color: string;
  thin?: boolean;
}

function Bar({ span, scale, now, color, thin = false }: BarProps) {
  const { left, width } = placeOf(span, scale, now);
  return (
    <Box
      position="absolute"
      top={thin ? "13px" : "7px"}
      height={thin ? "8px" : "20px"}
      minWidth="3px"
      borderRadius="sm"
      bg={color}
      style={{ left: `${left}%`, width: `${width}%` }}
    />
  );
}

/** What the bars mean. */
export function TimelineLegend() {
  const { t, lookWord } = useWords();
  return (
    <HStack gap={4} fontSize="xs" color="fg.muted" wrap="wrap">
      <Mark color="queued.emphasized" thin text={t("record:timeline.waited")} />
      <Mark color="info.emphasized" thin text={t("record:timeline.frozen")} />
      {(["queued", "running", "succeeded", "failed", "terminated"] as const).map((state) => (
        <Mark key={state} color={`${memberColor(state)}.solid`} text={lookWord(state)} />
      ))}
    </HStack>
  );
}

function Mark({ color, text, thin = false }: { color: string; text: string; thin?: boolean }) {
  return (
    <HStack gap={1}>
      <Box width={5} height={thin ? 2 : 3} borderRadius="sm" bg={color} aria-hidden="true" />
      <Text>{text}</Text>
    </HStack>
  );
}
