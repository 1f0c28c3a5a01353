/** The way of a run: all that it was made from, and all that was made from it. */

import { type GraphEdge, type Neighbours, reachable } from "./structure";

export interface Way {
  /** The nodes that lead to it, itself included. */
  up: ReadonlySet<string>;
  /** The nodes that follow from it, itself included. */
  down: ReadonlySet<string>;
}

/** The way of some nodes, along the links between runs and not along the lines of groups, which stand for many. */
export function wayOf(nodes: readonly string[], before: Neighbours, after: Neighbours): Way {
  return { up: reachable(nodes, before), down: reachable(nodes, after) };
}

export function isOn({ up, down }: Way, nodes: readonly string[]): boolean {
  return nodes.some((node) => up.has(node) || down.has(node));
}

/** Whether one of these links is part of the way. */
export function leadsAlong({ up, down }: Way, links: readonly GraphEdge[]): boolean {
  return links.some(({ from, to }) => (up.has(from) && up.has(to)) || (down.has(from) && down.has(to)));
}
