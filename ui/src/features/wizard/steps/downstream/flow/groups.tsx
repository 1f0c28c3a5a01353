/** What a group of runs shows in the flow, and what can be done with all of them at once. */

import { Badge } from "@chakra-ui/react";
import { useCallback, useContext, useMemo } from "react";

import type { RunStatus } from "../../../../../api/types";
import { useWords } from "../../../../../i18n/words";
import { CardNote } from "../../../../../ui/graph/Cards";
import type { Grouping } from "../../../../../ui/graph/types";
import { statusColor } from "../../../../../ui/StateBadge";
import { Tick } from "../../../../../ui/Tick";
import { Flow } from "./RunCard";
import { useWizard } from "../../../state/context";
import { isTaken, type PlanIndex, takeable } from "../../../state/plan";
import { useDraft } from "../../../state/store";

/** First those that a person has to look at. */
const STATES: readonly RunStatus[] = ["failed", "terminated", "revoked", "running", "not_ready", "ready", "success"];
const UNKNOWN = "unknown";

export const dagOf = (key: string) => key.slice(0, key.indexOf("\u0000"));

export function useRunGroups(index: PlanIndex): Grouping {
  const { t, word } = useWords();
  const { take } = useGroupChoice(index);
  const stateOf = useCallback((key: string) => index.runs.get(key)?.status ?? UNKNOWN, [index]);
  return useMemo(
    () => ({
      dagOf,
      stateOf,
      states: [
        { state: UNKNOWN, word: t("run.unknown"), color: "none" },
        ...STATES.map((state) => ({ state, word: word("status", state), color: statusColor(state) })),
      ],
      keep: index.source,
      extra: (nodes) => <GroupTick index={index} nodes={nodes} />,
      onToggle: (nodes) => take(nodes),
    }),
    [index, stateOf, take, t, word],
  );
}

function useGroupChoice(index: PlanIndex) {
  const { store } = useWizard();
  const counted = useCallback(
    (nodes: readonly string[]) => {
      const draft = store.get();
      const can = takeable(index, nodes, draft.freezeMode);
      const taken = can.filter((key) => {
        const run = index.runs.get(key);
        return run !== undefined && isTaken(run, draft);
      });
      return { can, taken: taken.length };
    },
    [index, store],
  );
  const take = useCallback(
    (nodes: readonly string[]) => {
      const { can, taken } = counted(nodes);
      store.dispatch({ type: "take", keys: can, taken: taken < can.length });
    },
    [counted, store],
  );
  return { counted, take, store };
}

/** Selects all runs of a group, or none; and says how many of them the search has found. */
function GroupTick({ index, nodes }: { index: PlanIndex; nodes: readonly string[] }) {
  const { t } = useWords();
  const { counted, take, store } = useGroupChoice(index);
  const note = useContext(CardNote);
  const taken = useDraft(store, () => counted(nodes).taken);
  const can = useDraft(store, () => counted(nodes).can.length);
  const { matches } = useContext(Flow);
  const found = nodes.filter((node) => matches.has(node)).length;
  const text = t("wizard:tasks.chosen", { count: taken, total: nodes.length });
  return (
    <>
      <Tick
        label={text}
        title={text}
        tabIndex={-1}
        checked={can > 0 && taken === can}
        partly={taken > 0}
        disabled={can === 0}
        onTick={() => take(nodes)}
      />
      <span id={note} hidden>
        {text}
      </span>
      {found > 0 && (
        <Badge size="xs" colorPalette="warning" flexShrink={0}>
          {t("wizard:search.found", { count: found })}
        </Badge>
      )}
    </>
  );
}
