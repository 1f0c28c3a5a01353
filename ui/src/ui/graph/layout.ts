/**
 * Places nodes in columns, one for each level, so that edges run from left to right, cross little, and never pass under
 * a card. Two thousand runs are placed in a fraction of a second; general layouters (see the decisions) take ten.
 */

import { setHeights } from "./heights";
import { labelled, type Label, TEXT, textWidth } from "./labels";
import { layered, type Layers } from "./layers";
import { type Column, linesOf, type Piece, type Position } from "./lines";
import { levels, type Neighbours } from "./structure";
import type { LabelledEdge } from "./types";

export interface Size {
  width: number;
  height: number;
}

/** A text on a line: where its middle stands from above, and where it begins from the left. */
export interface PlacedLabel extends Label, Position {
  width: number;
}

export interface LaidOut {
  /** The upper left corner of each card. */
  positions: Map<string, Position>;
  /** The nodes of each column, from top to bottom. */
  columns: string[][];
  /** The edges that are drawn, each with its way. */
  lines: Map<LabelledEdge, Piece[]>;
  labels: PlacedLabel[];
}

const GAP = { x: 96, y: 28 };
/** What a line needs to bend in, beside the labels at its ends. */
const BEND = 64;
/** From a card to a label, and, where lines end, to one before the arrow. */
const BESIDE = { after: 10, before: 18 };
/** Cards without an edge stand in columns of so many. */
const TALLEST = 24;

/**
 * Where each node stands. Nodes without any edge stand in rows below the others. `level`: the column of each node, where
 * it isn't the one that the edges given here tell.
 */
export function layout(
  nodes: readonly string[],
  edges: readonly LabelledEdge[],
  size: Size,
  level?: ReadonlyMap<string, number>,
): LaidOut {
  const inside = new Set(nodes);
  const drawn = edges.filter(({ from, to }) => inside.has(from) && inside.has(to) && from !== to);
  const linked = new Set(drawn.flatMap(({ from, to }) => [from, to]));
  const main = nodes.filter((node) => linked.has(node));
  const layers = layered(main, drawn, level ?? levels(main, drawn));
  setHeights(layers.columns, size.height);
  const labels = labelled(drawn, size.height);
  const sides = sidesOf(layers, labels, size.width);
  const laidOut = {
    positions: positionsOf(layers, sides, size),
    columns: layers.columns.map((column) => column.filter(({ lane }) => !lane).map(({ node }) => node)),
    lines: linesOf(drawn, layers, sides, size.height) as LaidOut["lines"],
    labels: labels.map((label) => beside(label, layers, sides)),
  };
  placeBelow(
    nodes.filter((node) => !linked.has(node)),
    laidOut,
    size,
  );
  return laidOut;
}

/** Columns one after the other, with room between them for the labels there. */
function sidesOf({ columns, cards }: Layers, labels: readonly Label[], width: number): Column[] {
  const after = columns.map(() => 0);
  const before = columns.map(() => 0);
  for (const label of labels) {
    const level = cards.get(label.node)?.level ?? 0;
    const widest = label.after ? after : before;
    widest[level] = Math.max(widest[level] ?? 0, textWidth(label.text));
  }
  let left = 0;
  return columns.map((_, level) => {
    const gap = (after[level - 1] ?? 0) + (before[level] ?? 0) + BEND;
    left += level === 0 ? 0 : width + Math.max(gap, GAP.x);
    return { left, right: left + width };
  });
}

function positionsOf({ cards }: Layers, sides: readonly Column[], size: Size): Map<string, Position> {
  return new Map(
    Array.from(cards, ([node, { level, y }]) => [node, { x: sides[level]?.left ?? 0, y: y - size.height / 2 }]),
  );
}

/** Labels of one card stand below each other, around its middle. */
function beside(label: Label, { cards }: Layers, sides: readonly Column[]): PlacedLabel {
  const card = cards.get(label.node);
  const { left, right } = sides[card?.level ?? 0] ?? { left: 0, right: 0 };
  const width = textWidth(label.text);
  const x = label.after ? right + BESIDE.after : left - BESIDE.before - width;
  return { ...label, width, x, y: (card?.y ?? 0) + (label.index - (label.count - 1) / 2) * TEXT.height };
}

/** One row after another under what is placed already; with nothing above, one column after another. */
function placeBelow(nodes: readonly string[], { positions, columns }: LaidOut, size: Size): void {
  const start = [...positions.values()].reduce((lowest, { y }) => Math.max(lowest, y + size.height + 2 * GAP.y), 0);
  const xs = columns.map((column) => positions.get(column[0] ?? "")?.x ?? 0);
  while (xs.length < Math.max(1, Math.ceil(nodes.length / TALLEST))) {
    xs.push((xs.at(-1) ?? -size.width - GAP.y) + size.width + GAP.y);
    columns.push([]);
  }
  const across = columns.length > 1 && nodes.length < columns.length ? nodes.length : xs.length;
  nodes.forEach((node, index) => {
    const [column, row] = [index % across, Math.floor(index / across)];
    positions.set(node, { x: xs[column] ?? 0, y: start + row * (size.height + GAP.y) });
    columns[column]?.push(node);
  });
}

const nearest = (nodes: readonly string[] | undefined, here: Position, positions: LaidOut["positions"]) =>
  nodes?.reduce<string | undefined>((best, node) => {
    const distance = (key: string) => Math.abs((positions.get(key)?.y ?? Infinity) - here.y);
    return best === undefined || distance(node) < distance(best) ? node : best;
  }, undefined);

/**
 * The node to which an arrow key leads: along an edge to the nearest one, or up and down in its column. From a node
 * without any edge, left and right lead to the next column.
 */
export function neighbour(
  arrow: string,
  here: string,
  before: Neighbours,
  after: Neighbours,
  { positions, columns }: Pick<LaidOut, "positions" | "columns">,
): string | undefined {
  const position = positions.get(here);
  if (position === undefined) {
    return undefined;
  }
  const at = columns.findIndex((column) => column.includes(here));
  if (arrow === "ArrowLeft" || arrow === "ArrowRight") {
    const drawn = (nodes: readonly string[] | undefined) => nodes?.filter((node) => positions.has(node)) ?? [];
    const [left, right] = [drawn(before.get(here)), drawn(after.get(here))];
    const alone = left.length + right.length === 0;
    const beside = columns[at + (arrow === "ArrowLeft" ? -1 : 1)];
    return nearest(alone ? beside : arrow === "ArrowLeft" ? left : right, position, positions);
  }
  const column = columns[at] ?? [];
  return column[column.indexOf(here) + (arrow === "ArrowDown" ? 1 : -1)];
}
