import { Box, Flex } from "@chakra-ui/react";
import { useMemo, useState } from "react";

import { usePreferences } from "../../../host/Host";
import { hasEnded } from "../../../api/reruns";
import type { Link, Member, RerunEvent } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { memberKey, structureOf } from "../graph/structure";
import {
  attemptsOf,
  ordered,
  placeOf,
  rowOf,
  type Scale,
  scaleOf,
  ticksOf,
  type TimelineOrder,
  type TimelineRow,
} from "./timeline";
import { LABEL_WIDTH, ROW_HEIGHT, TimelineLegend, TimelineRowView } from "./TimelineRow";
import { ScrollRegion, useRowsInSight } from "../../../ui/ScrollRegion";
import { ChoiceField } from "../../../ui/fields/Fields";
import { useClock } from "../../../ui/useClock";

interface MemberTimelineProps {
  members: readonly Member[];
  links: readonly Link[];
  events: readonly RerunEvent[];
}

/** When each run waited and ran. A thousand rows scroll: only those in sight are drawn. */
export function MemberTimeline({ members: inTurn, links, events }: MemberTimelineProps) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const [order, setOrder] = useState<TimelineOrder>("wave");
  const members = useMemo(() => ordered(inTurn, order), [inTurn, order]);
  const now = useClock(!hasEnded(rerun));
  const begin = Date.parse(rerun.started_at ?? rerun.created_at);
  const end = hasEnded(rerun) ? lastEnd(rerun.ended_at, members) : null;
  const scale = useMemo(() => scaleOf(begin, end, now), [begin, end, now]);
  const rows = useRows(members, begin, events);
  const before = useBefore(members, links);
  const { region, rows: inSight, total } = useRowsInSight(members.length, ROW_HEIGHT);
  return (
    <Flex direction="column" gap={2} flex="1" minHeight={0}>
      <Flex gap={4} align="flex-end" justify="space-between" wrap="wrap">
        <TimelineLegend />
        <ChoiceField
          label={t("record:timeline.order")}
          value={order === "time" ? "time" : ""}
          any={t("record:timeline.byWave")}
          options={[{ value: "time", label: t("record:timeline.byTime") }]}
          onChange={(chosen) => setOrder(chosen === "time" ? "time" : "wave")}
        />
      </Flex>
      <ScrollRegion ref={region} label={t("record:timeline.label")} flex="1" minHeight="16rem" data-testid="timeline">
        <Box minWidth="48rem">
          <Axis scale={scale} />
          <Box role="list" position="relative" style={{ height: total }}>
            {inSight.map(({ index, start }) => {
              const member = members[index];
              return (
                member && (
                  <TimelineRowView
                    key={member.id}
                    top={start}
                    index={index}
                    total={members.length}
                    member={member}
                    row={rows[index] ?? NO_ROW}
                    scale={scale}
                    now={now}
                    before={before.get(member.id) ?? NOBODY}
                  />
                )
              );
            })}
          </Box>
        </Box>
      </ScrollRegion>
    </Flex>
  );
}

const NO_ROW: TimelineRow = { waits: [], runs: [] };
const NOBODY: readonly Member[] = [];

function useRows(members: readonly Member[], begin: number, events: readonly RerunEvent[]): TimelineRow[] {
  return useMemo(() => {
    const attempts = attemptsOf(events);
    return members.map((member) => rowOf(member, begin, attempts.get(member.id)));
  }, [members, begin, events]);
}

/** When the last thing ended: a frozen run may have been let go after the rerun. */
function lastEnd(ended: string | null, members: readonly Member[]): number | null {
  const ends = [ended, ...members.map(({ ended_at }) => ended_at)].flatMap((each) => (each ? [Date.parse(each)] : []));
  return ends.length > 0 ? Math.max(...ends) : null;
}

/** The members that each member reads from, directly or through runs that aren't part of the rerun. */
function useBefore(members: readonly Member[], links: readonly Link[]): Map<number, Member[]> {
  return useMemo(() => {
    const byKey = new Map(members.map((member) => [memberKey(member.id), member]));
    const before = new Map<number, Member[]>();
    for (const { from, to } of structureOf(members, links, true).edges) {
      const [upstream, downstream] = [byKey.get(from), byKey.get(to)];
      if (upstream && downstream) {
        before.set(downstream.id, [...(before.get(downstream.id) ?? []), upstream]);
      }
    }
    return before;
  }, [members, links]);
}

/** The clock above the rows, in the person's time zone. */
function Axis({ scale }: { scale: Scale }) {
  const { t } = useWords();
  const { timeZone } = usePreferences();
  return (
    <Flex position="sticky" top={0} zIndex={2} bg="bg.subtle" borderBottomWidth="1px" height={8} fontSize="xs">
      <Box width={LABEL_WIDTH} flexShrink={0} px={3} py={2} fontWeight="medium">
        {t("record:timeline.run")}
      </Box>
      <Box position="relative" flex="1" mr={4} aria-hidden="true">
        {ticksOf(scale, timeZone).map(({ at, label }) => (
          <Box
            key={at}
            position="absolute"
            top={0}
            height="100%"
            borderLeftWidth="1px"
            pl={1}
            pt={2}
            color="fg.muted"
            whiteSpace="nowrap"
            style={{ left: `${placeOf({ start: at, end: at }, scale, at).left}%` }}
          >
            {label}
          </Box>
        ))}
      </Box>
    </Flex>
  );
}
