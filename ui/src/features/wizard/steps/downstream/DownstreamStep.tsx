import { Box, Flex } from "@chakra-ui/react";
import { useCallback, useMemo, useRef, useState } from "react";

import { GraphMemory } from "../../../../ui/graph/memory";
import type { GraphHandle } from "../../../../ui/graph/types";
import { Loading, Nothing, ProblemNotice } from "../../../../ui/feedback/Notices";
import { useWords } from "../../../../i18n/words";
import { Choosing, type ChoosingState } from "../../state/choosing";
import { useWizard } from "../../state/context";
import { DownstreamBar } from "./DownstreamBar";
import { FlowView } from "./flow/FlowView";
import { ListView } from "./list/ListView";
import { Outcome } from "./panel/Outcome";
import { type PlanIndex, shownKeys } from "../../state/plan";
import { SidePanel } from "./panel/SidePanel";
import { LOW, roomIn } from "../../../../ui/room";
import { useNarrow } from "../../../../ui/useNarrow";
import { useDraft } from "../../state/store";
import { TaskDialog } from "../../task-picker/TaskDialog";

/** Step 2: which downstream runs are rerun, stopped or frozen. */
export function DownstreamStep() {
  const { plan, index } = useWizard();
  const refused = plan.isError && !plan.isFetching;
  return (
    <>
      {refused && <ProblemNotice error={plan.error} retry={() => void plan.refetch()} />}
      {index !== undefined && <Choice index={index} />}
      {index === undefined && !refused && <Loading lines={8} />}
    </>
  );
}

function Choice({ index }: { index: PlanIndex }) {
  const { store, settling } = useWizard();
  const view = useDraft(store, (draft) => draft.view);
  const freezeMode = useDraft(store, (draft) => draft.freezeMode);
  const keys = useMemo(() => shownKeys(index, freezeMode), [index, freezeMode]);
  const [search, setSearch] = useState("");
  const choosing = useChoosingState();
  const narrow = useNarrow(); // the panel stands below the runs: what matters most has to stand above them
  const flow = useRef<GraphHandle>(null);
  const [memory] = useState(() => new GraphMemory());
  const { setCurrent } = choosing;
  const goTo = useCallback(
    (key: string) => {
      setCurrent(key);
      flow.current?.focus(key);
    },
    [setCurrent],
  );
  return (
    <Choosing.Provider value={choosing}>
      {narrow && <Outcome index={index} onJump={goTo} />}
      <DownstreamBar index={index} keys={keys} search={search} onSearch={setSearch} onJump={goTo} />
      <Flex
        gap={4}
        flex="1"
        minHeight={view === "flow" ? "15rem" : "20rem"}
        direction={{ base: "column", md: "row" }}
        css={{ [LOW]: { alignItems: "flex-start" } }}
      >
        <Flex
          direction="column"
          flex="1"
          minWidth={0}
          minHeight={view === "flow" ? "15rem" : "20rem"}
          css={roomIn(view === "flow" ? "18rem" : "20rem", "10.5rem")}
          aria-busy={settling}
        >
          {keys.length === 0 && index.unknown.size === 0 ? (
            <NoRuns />
          ) : view === "flow" ? (
            <FlowView index={index} keys={keys} search={search} memory={memory} ref={flow} />
          ) : (
            <ListView index={index} keys={keys} search={search} />
          )}
        </Flex>
        <SidePanel index={index} onJump={goTo} outcome={!narrow} />
      </Flex>
      {choosing.choosingTasks !== null && <TaskDialog index={index} runKey={choosing.choosingTasks} />}
    </Choosing.Provider>
  );
}

function useChoosingState(): ChoosingState {
  const [current, setCurrent] = useState<string | null>(null);
  const [choosingTasks, chooseTasks] = useState<string | null>(null);
  return useMemo(() => ({ current, setCurrent, choosingTasks, chooseTasks }), [current, choosingTasks]);
}

function NoRuns() {
  const { t } = useWords();
  return (
    <Box borderWidth="1px" borderRadius="md" flex="1" display="grid" placeItems="center">
      <Nothing title={t("wizard:noRuns.title")}>{t("wizard:noRuns.detail")}</Nothing>
    </Box>
  );
}
