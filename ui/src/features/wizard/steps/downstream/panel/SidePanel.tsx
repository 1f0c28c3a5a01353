import { Badge, Box, Stack, Tabs } from "@chakra-ui/react";
import { useState } from "react";

import { useWords } from "../../../../../i18n/words";
import { useChoosingRuns } from "../../../state/choosing";
import { Outcome } from "./Outcome";
import { Overview } from "./Overview";
import type { PlanIndex } from "../../../state/plan";
import { RunPanel } from "./RunPanel";
import { SMALL } from "../../../../../ui/room";
import { useSubmission } from "../../../submission/Submission";

interface SidePanelProps {
  index: PlanIndex;
  onJump: (key: string) => void;
  /** Whether what the selection leads to stands here. */
  outcome: boolean;
}

/** Beside the runs: what holds for all of them, and what is known of the one that is looked at. */
export function SidePanel({ index, onJump, outcome }: SidePanelProps) {
  const { t } = useWords();
  const { current } = useChoosingRuns();
  const [tab, setTab] = useState("overview");
  const [shown, setShown] = useState(current);
  if (shown !== current) {
    setShown(current);
    setTab(current === null ? "overview" : "run");
  }
  return (
    <Tabs.Root
      value={tab}
      onValueChange={({ value }) => setTab(value)}
      size="sm"
      width={{ base: "100%", md: "21rem" }}
      flexShrink={0}
      minHeight={0}
      display="flex"
      flexDirection="column"
      borderWidth="1px"
      borderRadius="md"
      as="aside"
      aria-label={t("wizard:panel.label")}
    >
      <Tabs.List>
        <Tabs.Trigger value="overview">
          {t("wizard:panel.overview")}
          <WarningCount index={index} />
        </Tabs.Trigger>
        <Tabs.Trigger value="run">{t("wizard:panel.run")}</Tabs.Trigger>
      </Tabs.List>
      <Box overflow="auto" flex="1" minHeight={0} px={3} pb={3} css={{ [SMALL]: { overflow: "visible" } }}>
        <Tabs.Content value="overview" pt={3}>
          <Stack gap={4}>
            {outcome && <Outcome index={index} onJump={onJump} />}
            <Overview index={index} />
          </Stack>
        </Tabs.Content>
        <Tabs.Content value="run" pt={3}>
          <RunPanel index={index} />
        </Tabs.Content>
      </Box>
    </Tabs.Root>
  );
}

/** How many warnings there are, for those who look at a run. */
function WarningCount({ index }: { index: PlanIndex }) {
  const { t } = useWords();
  const { review } = useSubmission();
  const count = (review.data?.warnings ?? index.plan.warnings).length;
  return review.isError || count === 0 ? null : (
    <Badge colorPalette="warning" variant="subtle" aria-label={t("wizard:warnings.count", { count })}>
      {count}
    </Badge>
  );
}
