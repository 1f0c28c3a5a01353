/**
 * The columns of a graph: one for each level, in which every line that only passes has a lane, a place of its own
 * between the cards. That is what keeps lines from running under cards.
 */

import { type GraphEdge } from "./structure";

/** A card, or the lane in which the lines of one node pass a column. */
export interface Item {
  /** The node that it shows, or whose lines pass. */
  node: string;
  level: number;
  lane: boolean;
  before: Item[];
  after: Item[];
  /** The middle of it. */
  y: number;
}

export interface Layers {
  columns: Item[][];
  cards: ReadonlyMap<string, Item>;
  /** The lanes of a node's lines, by the level that they pass. */
  lanes: ReadonlyMap<string, ReadonlyMap<number, Item>>;
  /** Lines that run above all cards: those that lead back, and very long ones where lanes would be too many. */
  above: ReadonlySet<GraphEdge>;
}

const SWEEPS = 4;
/** There may be as many lanes as this for each card; lines that need more run above everything. */
const LANES = 4;
const FEW = 2_000;

/** Columns for nodes that have levels, in an order in which lines cross little. */
export function layered(
  nodes: readonly string[],
  edges: readonly GraphEdge[],
  level: ReadonlyMap<string, number>,
): Layers {
  const columns: Item[][] = [];
  const add = (node: string, at: number, lane: boolean): Item => {
    const item = { node, level: at, lane, before: [], after: [], y: 0 };
    (columns[at] ??= []).push(item);
    return item;
  };
  const cards = new Map(nodes.map((node) => [node, add(node, level.get(node) ?? 0, false)]));
  for (let at = 0; at < columns.length; at += 1) {
    columns[at] ??= [];
  }
  const above = aboveAll(nodes.length, edges, level);
  const lanes = new Map<string, Map<number, Item>>();
  for (const edge of edges) {
    if (!above.has(edge)) {
      lead(edge, cards, lanes, add);
    }
  }
  order(columns);
  return { columns, cards, lanes, above };
}

type Add = (node: string, at: number, lane: boolean) => Item;

/** Joins two cards through the lanes of the first one's lines. */
function lead(edge: GraphEdge, cards: ReadonlyMap<string, Item>, lanes: Map<string, Map<number, Item>>, add: Add) {
  const [from, to] = [cards.get(edge.from), cards.get(edge.to)];
  if (from === undefined || to === undefined) {
    return;
  }
  let last = from;
  for (let at = from.level + 1; at < to.level; at += 1) {
    const own = lanes.get(edge.from) ?? new Map<number, Item>();
    lanes.set(edge.from, own);
    let lane = own.get(at);
    if (lane === undefined) {
      lane = add(edge.from, at, true);
      own.set(at, lane);
      join(last, lane);
    }
    last = lane;
  }
  join(last, to);
}

function join(from: Item, to: Item): void {
  from.after.push(to);
  to.before.push(from);
}

/** The edges that get no lanes. */
function aboveAll(
  count: number,
  edges: readonly GraphEdge[],
  level: ReadonlyMap<string, number>,
): ReadonlySet<GraphEdge> {
  const span = ({ from, to }: GraphEdge) => (level.get(to) ?? 0) - (level.get(from) ?? 0);
  let longest = edges.reduce((most, edge) => Math.max(most, span(edge)), 1);
  while (longest > 1 && lanesOf(edges, span, longest) > LANES * count + FEW) {
    longest = Math.ceil(longest / 2);
  }
  return new Set(edges.filter((edge) => span(edge) <= 0 || span(edge) > longest));
}

function lanesOf(edges: readonly GraphEdge[], span: (edge: GraphEdge) => number, longest: number): number {
  const most = new Map<string, number>();
  for (const edge of edges) {
    const length = span(edge) - 1;
    if (length < longest) {
      most.set(edge.from, Math.max(most.get(edge.from) ?? 0, length));
    }
  }
  return [...most.values()].reduce((sum, length) => sum + length, 0);
}

/** Puts each item near the middle of its neighbours, from left to right and back, a few times. */
function order(columns: Item[][]): void {
  const rank = new Map<Item, number>();
  const number = (column: Item[]) => column.forEach((item, index) => rank.set(item, (index + 0.5) / column.length));
  columns.forEach(number);
  const mean = (items: readonly Item[]) => items.reduce((sum, item) => sum + (rank.get(item) ?? 0), 0) / items.length;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (const column of forward ? columns : columns.toReversed()) {
      const middle = new Map(
        column.map((item) => {
          const neighbours = forward ? item.before : item.after;
          return [item, neighbours.length > 0 ? mean(neighbours) : (rank.get(item) ?? 0)];
        }),
      );
      column.sort((one, other) => (middle.get(one) ?? 0) - (middle.get(other) ?? 0));
      number(column);
    }
  }
}
