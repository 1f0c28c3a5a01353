/** The way of a line: bent in the gaps between columns, straight in the lanes, and never under a card. */

import type { Item, Layers } from "./layers";
import type { GraphEdge } from "./structure";

export interface Position {
  x: number;
  y: number;
}

/** A curve from where the one before it ends: Bézier's, with two handles; a straight piece has both on it. */
export interface Piece {
  from: Position;
  handles: [Position, Position];
  to: Position;
}

/** Where a column begins and ends, from left to right. */
export interface Column {
  left: number;
  right: number;
}

/** How far a line that leads back goes beyond the edge of its column before it turns. */
const TURN = 32;
/** A line that climbs more than this between two columns is straight for a bit at both ends. */
const STEEP = 400;
const CLEAR = 10;
const ABOVE = { first: 40, next: 12 };

/** The way of every edge whose two ends are cards. */
export function linesOf(
  edges: readonly GraphEdge[],
  layers: Layers,
  columns: readonly Column[],
  height: number,
): Map<GraphEdge, Piece[]> {
  const over = heightsAbove(layers, height);
  const lines = new Map<GraphEdge, Piece[]>();
  for (const edge of edges) {
    const [from, to] = [layers.cards.get(edge.from), layers.cards.get(edge.to)];
    if (from !== undefined && to !== undefined) {
      const lanes = layers.lanes.get(edge.from);
      const y = over.get(edge);
      const at = (level: number) => y ?? lanes?.get(level)?.y ?? 0;
      lines.set(edge, to.level > from.level ? ahead(from, to, columns, at) : back(from, to, columns, y ?? 0));
    }
  }
  return lines;
}

/** How high the lines above all cards run: those of one node as high as each other. */
function heightsAbove({ columns, above }: Layers, height: number): Map<GraphEdge, number> {
  const top = columns.reduce((highest, column) => Math.min(highest, column[0]?.y ?? highest), 0) - height / 2;
  const own = new Map<string, number>();
  return new Map(
    Array.from(above, (edge) => {
      const y = own.get(edge.from) ?? top - ABOVE.first - own.size * ABOVE.next;
      own.set(edge.from, y);
      return [edge, y];
    }),
  );
}

function ahead(from: Item, to: Item, columns: readonly Column[], at: (level: number) => number): Piece[] {
  const pieces: Piece[] = [];
  let here = { x: columns[from.level]?.right ?? 0, y: from.y };
  for (let level = from.level + 1; level <= to.level; level += 1) {
    const { left, right } = columns[level] ?? { left: 0, right: 0 };
    const y = level === to.level ? to.y : at(level);
    pieces.push(...bent(here, { x: left, y }));
    here = { x: left, y };
    if (level < to.level) {
      pieces.push(straight(here, { x: right, y }));
      here = { x: right, y };
    }
  }
  return pieces;
}

/** Up in the gap after the one, back above all cards, and down in the gap before the other. */
function back(from: Item, to: Item, columns: readonly Column[], y: number): Piece[] {
  const start = { x: columns[from.level]?.right ?? 0, y: from.y };
  const end = { x: columns[to.level]?.left ?? 0, y: to.y };
  const [out, into] = [
    { x: start.x + CLEAR, y: start.y },
    { x: end.x - CLEAR, y: end.y },
  ];
  const [up, down] = [
    { x: out.x, y },
    { x: into.x, y },
  ];
  const pieces = [turn(out, up, TURN), straight(up, down), turn(down, into, -TURN)];
  return [straight(start, out), ...pieces, straight(into, end)];
}

/** From column to column. A steep line first comes clear of the cards beside those that it joins. */
function bent(from: Position, to: Position): Piece[] {
  if (Math.abs(to.y - from.y) < STEEP) {
    return [bend(from, to)];
  }
  const [start, end] = [
    { x: from.x + CLEAR, y: from.y },
    { x: to.x - CLEAR, y: to.y },
  ];
  return [straight(from, start), bend(start, end), straight(end, to)];
}

function bend(from: Position, to: Position): Piece {
  const x = (from.x + to.x) / 2;
  return { from, handles: [{ x, y: from.y }, { x, y: to.y }], to }; // prettier-ignore
}

function turn(from: Position, to: Position, by: number): Piece {
  return { from, handles: [{ x: from.x + by, y: from.y }, { x: to.x + by, y: to.y }], to }; // prettier-ignore
}

function straight(from: Position, to: Position): Piece {
  return { from, handles: [from, to], to };
}

const point = ({ x, y }: Position) => `${x.toFixed(1)},${y.toFixed(1)}`;

/** The line as SVG draws it. */
export function pathOf(pieces: readonly Piece[]): string {
  const first = pieces[0];
  return first === undefined
    ? ""
    : `M${point(first.from)}${pieces.map(({ handles, to }) => `C${[...handles, to].map(point).join(" ")}`).join("")}`;
}
