/**
 * Places nodes in columns, one for each level, so that edges run from left to right and cross little.
 *
 * A thousand runs are placed in milliseconds. General layouters (see the decisions) take seconds for that.
 */

import { backward, forward, type GraphEdge, levels, type Neighbours } from "./structure";

export interface Size {
  width: number;
  height: number;
}

export interface Position {
  x: number;
  y: number;
}

export interface LaidOut {
  positions: Map<string, Position>;
  /** The nodes of each level, from top to bottom; of a level that is broken into several columns, row by row. */
  columns: string[][];
  /** Into how many columns each level is broken. */
  parts: number[];
}

const GAP = { x: 110, y: 28 };
const SWEEPS = 4;
/** A level with more nodes than this is broken into several columns: nobody scrolls past a hundred cards. */
const TALLEST = 24;

/**
 * Where each node stands. Nodes without any edge stand in rows below the others; with nothing but such nodes, in one
 * column.
 */
export function layout(nodes: readonly string[], edges: readonly GraphEdge[], size: Size): LaidOut {
  const inside = new Set(nodes);
  const drawn = edges.filter(({ from, to }) => inside.has(from) && inside.has(to) && from !== to);
  const linked = new Set(drawn.flatMap(({ from, to }) => [from, to]));
  const main = linked.size === 0 ? nodes : nodes.filter((node) => linked.has(node));
  const columns = byLevel(main, levels(main, drawn));
  order(columns, backward(drawn), forward(drawn));
  const laidOut = place(columns, size);
  if (main.length < nodes.length) {
    placeBelow(
      nodes.filter((node) => !linked.has(node)),
      laidOut,
      size,
    );
  }
  return laidOut;
}

function byLevel(nodes: readonly string[], level: ReadonlyMap<string, number>): string[][] {
  const columns: string[][] = [];
  for (const node of nodes) {
    (columns[level.get(node) ?? 0] ??= []).push(node);
  }
  return columns;
}

/** Puts each node near the middle of its neighbours, from left to right and back, a few times. */
function order(columns: string[][], before: Neighbours, after: Neighbours): void {
  const rank = new Map<string, number>();
  const number = (column: string[]) => column.forEach((node, index) => rank.set(node, index / column.length));
  columns.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const neighbours = sweep % 2 === 0 ? before : after;
    for (const column of sweep % 2 === 0 ? columns : columns.toReversed()) {
      const middle = new Map(column.map((node) => [node, mean(neighbours.get(node), rank) ?? rank.get(node) ?? 0]));
      column.sort((one, other) => (middle.get(one) ?? 0) - (middle.get(other) ?? 0));
      number(column);
    }
  }
}

function mean(nodes: readonly string[] | undefined, rank: ReadonlyMap<string, number>): number | undefined {
  if (nodes === undefined || nodes.length === 0) {
    return undefined;
  }
  return nodes.reduce((sum, node) => sum + (rank.get(node) ?? 0), 0) / nodes.length;
}

function place(columns: string[][], size: Size): LaidOut {
  const positions = new Map<string, Position>();
  const broken: number[] = [];
  let x = 0;
  for (const column of columns) {
    const parts = Math.ceil(column.length / TALLEST);
    const rows = Math.ceil(column.length / parts);
    column.forEach((node, index) => {
      // Read row by row, neighbours in the order stay near each other on the screen.
      const row = Math.floor(index / parts);
      const y = (row - (rows - 1) / 2) * (size.height + GAP.y);
      positions.set(node, { x: x + (index % parts) * (size.width + GAP.y), y });
    });
    broken.push(parts);
    x += parts * (size.width + GAP.y) - GAP.y + GAP.x;
  }
  return { positions, columns, parts: broken };
}

/** One row after another under what is placed already, each node in the column of a level. */
function placeBelow(nodes: readonly string[], { positions, columns, parts }: LaidOut, size: Size): void {
  const bottom = [...positions.values()].reduce((lowest, { y }) => Math.max(lowest, y), 0) + size.height + 2 * GAP.y;
  const slots = columns
    .map((column, level) => ({ column, x: positions.get(column[0] ?? "")?.x ?? 0, parts: parts[level] ?? 1 }))
    .filter((slot) => slot.parts === 1);
  const usable = slots.length > 0 ? slots : [{ column: columns[0] ?? [], x: 0, parts: 1 }];
  nodes.forEach((node, index) => {
    const slot = usable[index % usable.length];
    const row = Math.floor(index / usable.length);
    positions.set(node, { x: slot?.x ?? 0, y: bottom + row * (size.height + GAP.y) });
    slot?.column.push(node);
  });
}

const nearest = (nodes: readonly string[] | undefined, here: Position, positions: LaidOut["positions"]) =>
  nodes?.reduce<string | undefined>((best, node) => {
    const distance = (key: string) => Math.abs((positions.get(key)?.y ?? Infinity) - here.y);
    return best === undefined || distance(node) < distance(best) ? node : best;
  }, undefined);

/** The node to which an arrow key leads: along an edge to the nearest one, or up and down in the level. */
export function neighbour(
  arrow: string,
  here: string,
  before: Neighbours,
  after: Neighbours,
  { positions, columns, parts }: LaidOut,
): string | undefined {
  const position = positions.get(here);
  if (position === undefined) {
    return undefined;
  }
  if (arrow === "ArrowLeft" || arrow === "ArrowRight") {
    const others = (arrow === "ArrowLeft" ? before : after).get(here)?.filter((node) => positions.has(node));
    return nearest(others, position, positions);
  }
  const level = columns.findIndex((column) => column.includes(here));
  const column = columns[level] ?? [];
  return column[vertical(column.indexOf(here), parts[level] ?? 1, column.length, arrow === "ArrowDown" ? 1 : -1)];
}

/** The index below or above another in a grid that is filled row by row; past an end, the next column's other end. */
function vertical(index: number, width: number, count: number, step: 1 | -1): number {
  const next = index + step * width;
  if (next >= 0 && next < count) {
    return next;
  }
  const column = (index % width) + step;
  if (column < 0 || column >= width) {
    return -1;
  }
  return step === 1 ? column : column + Math.floor((count - 1 - column) / width) * width;
}
