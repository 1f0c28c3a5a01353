import { type Ref, useCallback, useImperativeHandle, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";

import { statusColor } from "../../../../../ui/StateBadge";
import type { Evidence, LinkKind } from "../../../../../api/types";
import { Graph } from "../../../../../ui/graph/Graph";
import type { GraphMemory } from "../../../../../ui/graph/memory";
import type { GraphHandle } from "../../../../../ui/graph/types";
import { useWords } from "../../../../../i18n/words";
import { useChoosingRuns } from "../../../state/choosing";
import { useWizard } from "../../../state/context";
import { flowEdges, folded } from "../../../state/flow";
import { matching } from "../../../state/filter";
import { isTaken, type PlanIndex, takeable } from "../../../state/plan";
import { dagOf, useRunGroups } from "./groups";
import { Flow, RunCard } from "./RunCard";
import { bothNames } from "../../../../../ui/dagNames";
import { useNames } from "../../../../../ui/names";

const SIZE = { width: 264, height: 108 };

interface FlowViewProps {
  index: PlanIndex;
  keys: readonly string[];
  search: string;
  memory: GraphMemory;
  ref: Ref<GraphHandle>;
}

/** The runs as a graph: each a card, the links between them as lines. */
export function FlowView({ index, keys, search, memory, ref }: FlowViewProps) {
  const { t } = useWords();
  const { store } = useWizard();
  const { setCurrent, chooseTasks } = useChoosingRuns();
  const folding = useFolding(index, keys);
  const graph = useRef<GraphHandle>(null);
  const edges = useEdges(index);
  const nameOf = useCardName(index);
  const groups = useRunGroups(index);
  const colorOf = useCallback((key: string) => statusColor(index.runs.get(key)?.status ?? "not_ready"), [index]);
  const card = useCallback((key: string) => <RunCard index={index} runKey={key} />, [index]);
  const matches = useMemo(() => new Set(matching(index, keys, search)), [index, keys, search]);
  const { nodes, folds, toggle, unfold } = folding;
  const flow = useMemo(() => ({ matches, folds, toggle }), [matches, folds, toggle]);
  const onToggle = useCallback(
    (key: string) => {
      const run = index.runs.get(key);
      const can = takeable(index, [key], store.get().freezeMode);
      store.dispatch({ type: "take", keys: can, taken: run !== undefined && !isTaken(run, store.get()) });
    },
    [index, store],
  );
  const onOpen = useCallback(
    (key: string) => {
      if (key !== index.source && index.runs.get(key)?.exists) {
        chooseTasks(key);
      }
    },
    [index, chooseTasks],
  );
  const onKey = useCallback(
    (key: string, pressed: string) => {
      const folds = pressed.toLowerCase() === "c" && index.after.has(key);
      if (folds) {
        toggle(key);
      }
      return folds;
    },
    [index, toggle],
  );
  const focus = useCallback(
    (key: string) => {
      if (!nodes.includes(key)) {
        flushSync(unfold); // what is folded away has no place yet
      }
      graph.current?.focus(key);
    },
    [nodes, unfold],
  );
  useImperativeHandle(ref, () => ({ focus }), [focus]);
  return (
    <Flow.Provider value={flow}>
      <Graph
        label={t("graph.label")}
        keysHint={t("wizard:flow.keys")}
        ref={graph}
        nodes={nodes}
        edges={edges}
        size={SIZE}
        card={card}
        nameOf={nameOf}
        colorOf={colorOf}
        groups={groups}
        memory={memory}
        onCurrent={setCurrent}
        onToggle={onToggle}
        onOpen={onOpen}
        onKey={onKey}
      />
    </Flow.Provider>
  );
}

/** Which branches are folded away, and what is left to see. */
function useFolding(index: PlanIndex, keys: readonly string[]) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const all = useMemo(() => [index.source, ...keys, ...index.unknown.keys()], [index, keys]);
  const { nodes, folds } = useMemo(() => folded(index, all, closed), [index, all, closed]);
  const unfold = useCallback(() => setClosed(new Set()), []);
  const toggle = useCallback(
    (key: string) =>
      setClosed((before) => {
        const next = new Set(before);
        if (!next.delete(key)) {
          next.add(key);
        }
        return next;
      }),
    [],
  );
  return { nodes, folds, toggle, unfold };
}

function useEdges(index: PlanIndex) {
  const { t, word, list } = useWords();
  return useMemo(() => {
    // Most of thousands of edges say the same; to ask the catalogue for each would take longer than all the rest.
    const words = remembered((kind: LinkKind, evidence: Evidence) => {
      return `${word("linkKind", kind)} · ${word("evidence", evidence)}`;
    });
    const title = remembered((from: string, to: string, kinds: string, evidences: string) =>
      t("graph.edge", {
        from,
        to,
        kind: list(kinds.split(" ").map((kind) => word("linkKind", kind as LinkKind))),
        evidence: list(evidences.split(" ").map((evidence) => word("evidence", evidence as Evidence))),
      }),
    );
    return flowEdges(index, words).map((edge) => ({
      ...edge,
      title: title(dagOf(edge.from), dagOf(edge.to), edge.kinds.join(" "), edge.evidences.join(" ")),
    }));
  }, [index, t, word, list]);
}

/** The function, which is asked once for the same words. */
function remembered<Words extends string[]>(say: (...words: Words) => string): (...words: Words) => string {
  const said = new Map<string, string>();
  return (...words) => {
    const key = words.join("\u0000");
    const known = said.get(key) ?? say(...words);
    said.set(key, known);
    return known;
  };
}

function useCardName(index: PlanIndex) {
  const { t, word } = useWords();
  const { plannedName: nameOf } = useNames();
  return useCallback(
    (key: string) => {
      const run = index.runs.get(key);
      return run === undefined
        ? t("wizard:run.named", { dag: index.unknown.get(key) ?? "", run: t("run.unknown"), status: "" })
        : t("wizard:run.named", {
            dag: bothNames(run.dag_display_name, run.dag_id),
            run: nameOf(run),
            status: word("status", run.status),
          });
    },
    [index, nameOf, t, word],
  );
}
