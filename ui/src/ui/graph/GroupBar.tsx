import { Button, HStack, NativeSelect, VisuallyHidden, Wrap } from "@chakra-ui/react";
import { Panel } from "@xyflow/react";
import { MdUnfoldLess } from "react-icons/md";

import { useWords } from "../../i18n/words";
import { useGroupName } from "./GroupCard";
import type { GroupBy } from "./memory";
import type { Grouping } from "./types";
import type { FoldingState } from "./useFolding";

const WAYS: readonly GroupBy[] = ["dag", "state", "none"];

/** How large levels are folded, and the groups that are open, each of which can be folded again. */
export function GroupBar({ folding, groups }: { folding: FoldingState; groups: Grouping }) {
  const { t } = useWords();
  const { by, setBy, shown, close } = folding;
  const nameOf = useGroupName(groups, by);
  return (
    <Panel position="top-left">
      <HStack gap={2} align="start">
        <NativeSelect.Root size="xs" width="auto">
          <NativeSelect.Field
            aria-label={t("graph.by.label")}
            title={t("graph.by.label")}
            bg="bg.panel"
            value={by}
            onChange={({ target }) => setBy(WAYS.find((way) => way === target.value) ?? "dag")}
          >
            {WAYS.map((way) => (
              <option key={way} value={way}>
                {t(groups.of === "tasks" ? `graph.byTasks.${way}` : `graph.by.${way}`)}
              </option>
            ))}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
        <Wrap gap={1} maxHeight="4.5rem" overflow="auto">
          {[...shown.opened.values()].map((group) => (
            <Button
              key={group.key}
              size="2xs"
              variant="surface"
              maxWidth="16rem"
              title={t("graph.close", { name: nameOf(group).title })}
              onClick={() => close(group.key)}
            >
              <MdUnfoldLess aria-hidden="true" />
              <span style={CUT}>{nameOf(group).title}</span>
              <VisuallyHidden>{t("graph.closeShort")}</VisuallyHidden>
            </Button>
          ))}
        </Wrap>
      </HStack>
    </Panel>
  );
}

const CUT = { overflow: "hidden", textOverflow: "ellipsis" } as const;
