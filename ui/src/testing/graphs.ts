/** Random plans, and a look at what is drawn of them, for tests of the graph. */

import type { Piece, Position } from "../ui/graph/lines";
import type { LaidOut, Size } from "../ui/graph/layout";
import type { LabelledEdge } from "../ui/graph/types";

/** Numbers from 0 to 1, the same ones for the same seed (a linear congruential generator). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}

export interface RandomPlan {
  nodes: string[];
  edges: LabelledEdge[];
}

const LABELS = ["asset · recorded", "asset, sensor · recorded, derived", "触发 · 记录", undefined];

/**
 * Runs of a few Dags or of many, on few levels or on many, with links that skip levels, lead back or are missing; of
 * each kind some, by the seed.
 */
export function randomPlan(seed: number, count: number): RandomPlan {
  const next = random(seed);
  const below = (end: number) => Math.floor(next() * end);
  const dags = 1 + below(next() < 0.5 ? 6 : count);
  const width = 1 + below(next() < 0.4 ? 4 : next() < 0.7 ? 60 : count);
  const near = next() < 0.5 ? width * 2 : count;
  const name = (index: number) => `dag_${index % dags}\u0000run_${index}`;
  const nodes = Array.from({ length: count }, (_, index) => name(index));
  const edges = new Map<string, LabelledEdge>();
  for (let index = 1; index < count; index += 1) {
    const level = Math.floor((index - 1) / width) * width;
    for (let many = 1 + below(3); many > 0 && next() > 0.05; many -= 1) {
      const from = index <= width ? 0 : Math.max(0, level - below(near));
      const pair = next() < 0.02 ? [name(index), name(from)] : [name(from), name(index)];
      const [start = "", end = ""] = pair;
      edges.set(pair.join("\n"), { from: start, to: end, label: LABELS[below(LABELS.length)] });
    }
  }
  return { nodes, edges: [...edges.values()] };
}

/** No card is so narrow that a line could pass it between two of its points. */
const STEP = 40;
const FEWEST = 16;

/** Points on a line, its ends included. */
export function pointsOf(pieces: readonly Piece[]): Position[] {
  return pieces.flatMap(({ from, handles: [one, other], to }) => {
    const straight = from.y === one.y && one.y === other.y && other.y === to.y;
    const count = Math.max(straight ? 1 : FEWEST, Math.ceil(Math.abs(to.x - from.x) / STEP));
    return Array.from({ length: count + 1 }, (_, index) => {
      const [b, a] = [index / count, 1 - index / count];
      const along = (axis: "x" | "y") =>
        straight
          ? a * from[axis] + b * to[axis]
          : a ** 3 * from[axis] + 3 * a * a * b * one[axis] + 3 * a * b * b * other[axis] + b ** 3 * to[axis];
      return { x: along("x"), y: along("y") };
    });
  });
}

/** Finds the cards that a line runs under, or comes too near to if it doesn't join them. */
export function underCards({ positions }: Pick<LaidOut, "positions">, size: Size, margin: number) {
  const columns = new Map<number, [number, string][]>();
  for (const [node, { x, y }] of positions) {
    const column = columns.get(x) ?? [];
    column.push([y, node]);
    columns.set(x, column);
  }
  const sorted = Array.from(columns).sort(([one], [other]) => one - other);
  sorted.forEach(([, cards]) => cards.sort(([one], [other]) => one - other));
  return (line: readonly Position[], ends: readonly string[]): string[] => {
    const met = new Set<string>();
    for (const { x, y } of line) {
      const [left, cards] = sorted[first(sorted, x - size.width - margin)] ?? [Infinity, []];
      if (x > left - margin) {
        const inside = x > left + 0.5 && x < left + size.width - 0.5;
        const near = cardsAt(cards, y, size.height, margin);
        near.filter((node) => inside || !ends.includes(node)).forEach((node) => met.add(node));
      }
    }
    return [...met];
  };
}

/** The index of the first entry that lies beyond a place. */
function first(sorted: readonly (readonly [number, unknown])[], place: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.[0] ?? 0) <= place) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function cardsAt(cards: readonly [number, string][], y: number, height: number, margin: number): string[] {
  const found: string[] = [];
  for (let at = first(cards, y - height - margin); at < cards.length; at += 1) {
    const [top, node] = cards[at] ?? [Infinity, ""];
    if (top - margin >= y) {
      break;
    }
    found.push(node);
  }
  return found;
}
