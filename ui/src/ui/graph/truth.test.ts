/** What the graph says is so: no line passes under a card, and each stands for a link. On random plans. */

import { describe, expect, it } from "vitest";

import { pointsOf, randomPlan, type RandomPlan, underCards } from "../../testing/graphs";
import { type DrawnEdge, drawnEdges, fold, type Folded } from "./folding";
import { TEXT } from "./labels";
import { layout } from "./layout";
import { backward, forward, type GraphEdge, levels } from "./structure";

const SIZE = { width: 264, height: 108 };
/** How far a line stays from every card that it doesn't join. */
const CLEAR = 6;
/** How many runs, and of how many plans. */
const SIZES = [
  [3, 30],
  [8, 30],
  [25, 30],
  [26, 30],
  [37, 30],
  [120, 20],
  [300, 12],
  [2_000, 6],
] as const;

const nameOf = (node: string) => node.slice(0, node.indexOf("\u0000"));

/** A plan as it is drawn: as it is, folded, or folded with every third group open. */
function drawn({ nodes, edges }: RandomPlan, how: "whole" | "folded" | "partly") {
  const level = levels(nodes, edges);
  const folding = { level, nameOf, after: forward(edges), before: backward(edges), keep: () => false };
  let folded: Folded = { shown: nodes, groups: new Map(), opened: new Map(), holder: new Map() };
  nodes.forEach((node) => folded.holder.set(node, node));
  if (how !== "whole") {
    folded = fold(nodes, { ...folding, open: new Set() });
  }
  if (how === "partly") {
    const open = new Set([...folded.groups.keys()].filter((_, index) => index % 3 === 0));
    folded = fold(nodes, { ...folding, open });
  }
  for (const { key, nodes: all } of folded.groups.values()) {
    level.set(key, level.get(all[0] ?? "") ?? 0);
  }
  const lines = drawnEdges(edges, folded.holder);
  return { folded, lines, laidOut: layout(folded.shown, lines, SIZE, level) };
}

type Drawn = ReturnType<typeof drawn>;

function linesUnderCards({ laidOut }: Drawn): string[] {
  const under = underCards(laidOut, SIZE, CLEAR);
  return Array.from(laidOut.lines, ([{ from, to }, pieces]) =>
    under(pointsOf(pieces), [from, to]).map((card) => `${from} to ${to} under ${card}`),
  ).flat();
}

/** Lines that stand for no link, and links without a line; those within one group have none. */
function untrueLines(plan: RandomPlan, { folded, laidOut }: Drawn): string[] {
  const name = ({ from, to }: GraphEdge) => `${from} to ${to}`;
  const missing = new Set(plan.edges.map(name));
  const inside = (card: string, node: string) => (folded.groups.get(card)?.nodes ?? [card]).includes(node);
  const wrong: string[] = [];
  for (const line of laidOut.lines.keys() as Iterable<DrawnEdge>) {
    const untrue = line.links.some(({ from, to }) => !inside(line.from, from) || !inside(line.to, to));
    if (untrue || line.links.length === 0 || !line.links.every((link) => missing.delete(name(link)))) {
      wrong.push(name(line));
    }
  }
  const within = plan.edges.filter(({ from, to }) => folded.holder.get(from) === folded.holder.get(to));
  within.forEach((link) => missing.delete(name(link)));
  return [...wrong, ...missing];
}

/** Lines that don't begin at the right of the one card and end at the left of the other, or have a hole. */
function looseLines({ laidOut: { lines, positions } }: Drawn): string[] {
  const middle = SIZE.height / 2;
  const at = (card: string, x: number) => ({
    x: (positions.get(card)?.x ?? 0) + x,
    y: (positions.get(card)?.y ?? 0) + middle,
  });
  return Array.from(lines)
    .filter(([{ from, to }, pieces]) => {
      const ends = [pieces[0]?.from, ...pieces.map((piece) => piece.to)];
      const starts = [at(from, SIZE.width), ...pieces.map((piece) => piece.from).slice(1), at(to, 0)];
      return JSON.stringify(ends) !== JSON.stringify(starts);
    })
    .map(([{ from, to }]) => `${from} to ${to}`);
}

/** Cards and labels that lie on another one. */
function overlapping({ laidOut: { positions, labels } }: Drawn) {
  const cards = Array.from(positions.values(), ({ x, y }) => ({ x, y, ...SIZE }));
  const texts = labels.map(({ x, y, width }) => ({ x, y: y - TEXT.height / 2, width, height: TEXT.height }));
  const boxes = [...cards, ...texts].sort((one, other) => one.y - other.y);
  return boxes.filter(({ x, y, width, height }, index) => {
    for (let at = index + 1; at < boxes.length; at += 1) {
      const other = boxes[at];
      if (other === undefined || other.y >= y + height) {
        return false;
      }
      if (other.x < x + width && x < other.x + other.width) {
        return true;
      }
    }
    return false;
  });
}

describe.each(["whole", "folded", "partly"] as const)("a plan that is drawn %s", (how) => {
  it.each(SIZES)("of %i runs says what is so (%i plans)", (count, plans) => {
    for (let seed = 1; seed <= plans; seed += 1) {
      const plan = randomPlan(seed * 1_000 + count, count);
      const seen = drawn(plan, how);
      expect(linesUnderCards(seen), `seed ${seed}: lines under cards`).toEqual([]);
      expect(untrueLines(plan, seen), `seed ${seed}: lines without a link, or links without a line`).toEqual([]);
      expect(looseLines(seen), `seed ${seed}: lines that don't join their cards`).toEqual([]);
      expect(overlapping(seen), `seed ${seed}: cards or labels on each other`).toEqual([]);
    }
  });
});
