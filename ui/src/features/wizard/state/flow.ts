/** What the graph of runs shows of a plan. */

import type { Evidence, LinkKind } from "../../../api/types";
import type { LabelledEdge } from "../../../ui/graph/types";
import { reachable } from "../../../ui/graph/structure";
import { keyOf } from "../../../domain/runName";
import type { PlanIndex } from "./plan";

export interface FlowEdge extends LabelledEdge {
  kinds: LinkKind[];
  evidences: Evidence[];
}

/** One line for all links between two runs; dashed where none of them is more than an assumption. */
export function flowEdges(index: PlanIndex, words: (kind: LinkKind, evidence: Evidence) => string): FlowEdge[] {
  const found = new Map<string, FlowEdge & { words: Set<string> }>();
  for (const { upstream, downstream, kind, evidence } of [...index.linksTo.values()].flat()) {
    const [from, to] = [keyOf(upstream), keyOf(downstream)];
    const id = JSON.stringify([from, to]);
    const edge = found.get(id) ?? { from, to, kinds: [], evidences: [], words: new Set(), unsure: true };
    if (!edge.kinds.includes(kind)) {
      edge.kinds.push(kind);
    }
    if (!edge.evidences.includes(evidence)) {
      edge.evidences.push(evidence);
    }
    edge.words.add(words(kind, evidence));
    edge.unsure = edge.unsure && (evidence === "assumed" || evidence === "unresolved");
    found.set(id, edge);
  }
  return Array.from(found.values(), ({ words: all, ...edge }) => ({ ...edge, label: [...all].join(", ") }));
}

/** What is left when the branches behind some runs are folded away, and how many runs each of these hides. */
export function folded(index: PlanIndex, nodes: readonly string[], closed: ReadonlySet<string>) {
  if (closed.size === 0) {
    return { nodes, folds: new Map<string, number>() };
  }
  const starts = nodes.filter((node) => node === index.source || !index.before.has(node));
  const seen = reachable(starts, index.after, closed);
  const all = new Set(nodes);
  const folds = new Map(
    Array.from(closed, (key) => {
      const behind = [...reachable([key], index.after)].filter((node) => all.has(node) && !seen.has(node));
      return [key, behind.length] as const;
    }),
  );
  return { nodes: nodes.filter((node) => seen.has(node)), folds };
}
