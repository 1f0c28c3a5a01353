/** Which groups of a graph are open, and what is drawn then. */

import { useCallback, useMemo, useState } from "react";

import { type DrawnEdge, drawnEdges, fold, type Folded, type Folding } from "./folding";
import { type GroupBy, GraphMemory, type Opening } from "./memory";
import { backward, forward, levels } from "./structure";
import type { GraphProps } from "./types";

export interface Shown extends Folded {
  lines: DrawnEdge[];
  level: ReadonlyMap<string, number>;
}

export type FoldingState = ReturnType<typeof useFolding>;

export function useFolding({
  nodes,
  edges,
  groups,
  memory,
}: Pick<GraphProps, "nodes" | "edges" | "groups" | "memory">) {
  const [kept] = useState(() => memory ?? new GraphMemory());
  const [opening, setOpening] = useState(kept.opening);
  const change = useCallback(
    (next: Opening) => {
      kept.remember(next);
      setOpening(next);
    },
    [kept],
  );
  const walks = useMemo(() => walksOf(nodes, edges), [nodes, edges]);
  const [dagOf, keep] = [groups?.dagOf, groups?.keep];
  const nameOf = opening.by === "state" ? groups?.stateOf : dagOf;
  const folding = useMemo(
    () => nameOf && { ...walks, nameOf, keep: (node: string) => node === keep, open: opening.open },
    [walks, nameOf, keep, opening],
  );
  const large = useMemo(
    () =>
      dagOf !== undefined &&
      fold(nodes, { ...walks, nameOf: dagOf, keep: (node) => node === keep, open: NONE }).groups.size > 0,
    [nodes, walks, dagOf, keep],
  );
  const shown = useMemo(
    () => shownOf(nodes, edges, walks.level, opening.by === "none" ? undefined : folding),
    [nodes, edges, walks, folding, opening.by],
  );
  const setBy = useCallback((by: GroupBy) => change({ by, open: NONE }), [change]);
  const open = useCallback((key: string) => change(opened(opening, key, true)), [opening, change]);
  const close = useCallback((key: string) => change(opened(opening, key, false)), [opening, change]);
  const reveal = useCallback(
    (node: string) => folding && opening.by !== "none" && change({ ...opening, open: revealing(nodes, folding, node) }),
    [nodes, folding, opening, change],
  );
  return { shown, walks, large, by: opening.by, setBy, open, close, reveal };
}

const NONE: ReadonlySet<string> = new Set();

function walksOf(nodes: readonly string[], edges: GraphProps["edges"]) {
  const all = new Set(nodes);
  const inside = edges.filter(({ from, to }) => all.has(from) && all.has(to) && from !== to);
  return { level: levels(nodes, inside), after: forward(inside), before: backward(inside) };
}

function shownOf(
  nodes: readonly string[],
  edges: GraphProps["edges"],
  levelOf: ReadonlyMap<string, number>,
  folding: Folding | undefined,
): Shown {
  const folded = folding ? fold(nodes, folding) : asTheyAre(nodes);
  const level = new Map(levelOf);
  for (const { key, nodes: all } of folded.groups.values()) {
    level.set(key, levelOf.get(all[0] ?? "") ?? 0);
  }
  return { ...folded, level, lines: drawnEdges(edges, folded.holder) };
}

function asTheyAre(nodes: readonly string[]): Folded {
  const holder = new Map(nodes.map((node) => [node, node]));
  return { shown: [...nodes], groups: new Map(), opened: new Map(), holder };
}

function opened({ by, open }: Opening, key: string, wanted: boolean): Opening {
  const next = new Set(open);
  if (wanted) {
    next.add(key);
  } else {
    next.delete(key);
  }
  return { by, open: next };
}

/** What has to be open so that a node is seen: its group, and the one in which that stands. */
function revealing(nodes: readonly string[], folding: Folding, node: string): ReadonlySet<string> {
  const open = new Set(folding.open);
  for (;;) {
    const holder = fold(nodes, { ...folding, open }).holder.get(node);
    if (holder === undefined || holder === node) {
      return open;
    }
    open.add(holder);
  }
}
