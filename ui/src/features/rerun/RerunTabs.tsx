import { Badge, Box, Tabs, VisuallyHidden } from "@chakra-ui/react";
import { type ReactNode, useState } from "react";
import type { IconType } from "react-icons";
import {
  MdAccountTree,
  MdHistory,
  MdInfoOutline,
  MdReportProblem,
  MdTableRows,
  MdVerified,
  MdViewTimeline,
} from "react-icons/md";

import type { Link, Member, RerunEvent } from "../../api/types";
import { Loading } from "../../ui/feedback/Notices";
import { GraphMemory } from "../../ui/graph/memory";
import { roomIn } from "../../ui/room";
import { useWords } from "../../i18n/words";
import { type TabName, useRecord } from "./context";
import { EventsTable } from "./events/EventsTable";
import { MembersTable } from "./table/MembersTable";
import { MemberGraph } from "./graph/MemberGraph";
import { MemberTimeline } from "./timeline/MemberTimeline";
import { NotMadeAnewTable } from "./table/NotMadeAnewTable";
import { ProofTab } from "./proof/ProofTab";
import { RecordDetails } from "./details/Details";

const TABS = [
  { name: "graph", icon: MdAccountTree },
  { name: "table", icon: MdTableRows },
  { name: "timeline", icon: MdViewTimeline },
  { name: "left", icon: MdReportProblem },
  { name: "proof", icon: MdVerified },
  { name: "events", icon: MdHistory },
  { name: "details", icon: MdInfoOutline },
] as const satisfies readonly { name: TabName; icon: IconType }[];

/** Parts that are kept while another one is shown, so that they are as they were left: filtered, sorted, scrolled. */
const STAYS: readonly TabName[] = ["table", "timeline", "events"];

/** The tab that an address names; the graph where it names none. */
export function tabOf(name: string | undefined): TabName {
  return TABS.find((tab) => tab.name === name)?.name ?? "graph";
}

interface RecordTabsProps {
  tab: TabName;
  onTab: (tab: TabName) => void;
  /** Undefined while they are on their way. */
  members: readonly Member[] | undefined;
  links: readonly Link[] | undefined;
  events: readonly RerunEvent[] | undefined;
}

/** The record's parts, of which one is shown. */
export function RecordTabs({ tab, onTab, ...parts }: RecordTabsProps) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const [memory] = useState(() => new GraphMemory());
  return (
    <Tabs.Root
      value={tab}
      onValueChange={({ value }) => onTab(tabOf(value))}
      colorPalette="brand"
      display="flex"
      flexDirection="column"
      flex="1"
      minHeight="26rem"
      css={roomIn("26rem", "8rem")}
      lazyMount
    >
      <Tabs.List aria-label={t("record:tab.label")} flexShrink={0} overflowX="auto" overflowY="hidden">
        {TABS.map(({ name, icon: Icon }) => (
          <Tabs.Trigger key={name} value={name} flexShrink={0} whiteSpace="nowrap">
            <Icon aria-hidden="true" />
            {t(`record:tab.${name}`)}
            {name === "left" && rerun.not_made_anew > 0 && (
              <Badge colorPalette="warning" data-testid="left-count">
                {rerun.not_made_anew}
              </Badge>
            )}
            {name === "details" && rerun.warnings.length > 0 && (
              <Badge colorPalette="warning">
                {rerun.warnings.length}
                <VisuallyHidden>{t("record:details.warnings")}</VisuallyHidden>
              </Badge>
            )}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {TABS.map(({ name }) => (
        <Tabs.Content key={name} value={name} flex="1" minHeight={0} display="flex" flexDirection="column" pt={3}>
          {(name === tab || STAYS.includes(name)) && <Part name={name} memory={memory} {...parts} />}
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}

type PartProps = Pick<RecordTabsProps, "members" | "links" | "events"> & { name: TabName; memory: GraphMemory };

function Part({ name, memory, members, links, events }: PartProps): ReactNode {
  const { t } = useWords();
  switch (name) {
    case "graph":
      return members && links ? <MemberGraph {...{ members, links, memory }} /> : <Waiting />;
    case "table":
      return members && events ? <MembersTable members={members} events={events} /> : <Waiting />;
    case "timeline":
      return members && links && events ? <MemberTimeline {...{ members, links, events }} /> : <Waiting />;
    case "left":
      return <NotMadeAnewTable />;
    case "proof":
      return members ? <ProofTab members={members} /> : <Waiting />;
    case "events":
      return members && events ? <EventsTable events={events} members={members} /> : <Waiting />;
    case "details":
      return (
        <Box overflow="auto" flex="1" tabIndex={0} role="region" aria-label={t("record:tab.details")}>
          <RecordDetails />
        </Box>
      );
  }
}

function Waiting() {
  return <Loading lines={8} />;
}
