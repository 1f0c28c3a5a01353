import { describe, expect, it } from "vitest";

import { layout, neighbour } from "./layout";
import { backward, forward, type GraphEdge } from "./structure";

const SIZE = { width: 200, height: 80 };
const edges = (text: string): GraphEdge[] =>
  text
    .split(" ")
    .filter(Boolean)
    .map((each) => ({ from: each[0] ?? "", to: each[1] ?? "" }));
const nodes = (text: string) => text.split("");

function boxes(positions: ReadonlyMap<string, { x: number; y: number }>) {
  return new Set([...positions.values()].map(({ x, y }) => `${x}/${y}`));
}

/** Runs of `width` Dags on each of `depth` days; each reads two of the day before. */
function pipeline(depth: number, width: number) {
  const name = (day: number, dag: number) => `dag_${dag}\u0000scheduled__${day}`;
  const all = Array.from({ length: depth * width }, (_, index) => name(Math.floor(index / width), index % width));
  const links = all.flatMap((_, index) => {
    const [day, dag] = [Math.floor(index / width), index % width];
    const to = name(day, dag);
    return day === 0
      ? []
      : [
          { from: name(day - 1, dag), to },
          { from: name(day - 1, (dag + 1) % width), to },
        ];
  });
  return { all, links };
}

describe("layout", () => {
  it("leads every edge to the right", () => {
    const links = edges("ab ac bd cd de");
    const { positions } = layout(nodes("edcba"), links, SIZE);
    for (const { from, to } of links) {
      expect(positions.get(to)?.x).toBeGreaterThan(positions.get(from)?.x ?? Infinity);
    }
  });

  it("keeps neighbours side by side, so that edges don't cross without need", () => {
    const { columns } = layout(nodes("axyqp"), edges("ax ay xp yq"), SIZE);
    expect(columns).toEqual([["a"], ["x", "y"], ["p", "q"]]);
  });

  it("survives circles, loops and edges to what isn't drawn", () => {
    const { positions } = layout(nodes("abc"), edges("ab bc ca aa cz"), SIZE);
    expect(boxes(positions).size).toBe(3);
  });

  it("puts a level into one column, however large it is", () => {
    const wide = Array.from({ length: 130 }, (_, index) => `n${index}`);
    const laidOut = layout(
      ["a", ...wide],
      wide.map((to) => ({ from: "a", to })),
      SIZE,
    );
    expect(boxes(laidOut.positions).size).toBe(131);
    expect(laidOut.columns.map((column) => column.length)).toEqual([1, 130]);
  });

  it("says once what all lines of a card say, at the end that they share", () => {
    const label = "asset · recorded";
    const wide = Array.from({ length: 37 }, (_, index) => `n${index}`);
    const links = wide.flatMap((node) => [
      { from: "a", to: node, label },
      { from: node, to: "z", label },
    ]);
    const { labels } = layout(["a", ...wide, "z"], links, SIZE);
    expect(labels.map(({ node, after, text, edges: all }) => [node, after, text, all.length])).toEqual([
      ["a", true, label, 37],
      ["z", false, label, 37],
    ]);
  });

  it("puts what has no edge below the rest", () => {
    const { positions } = layout(nodes("axby"), edges("ab"), SIZE);
    expect(positions.get("x")?.y).toBeGreaterThan(positions.get("a")?.y ?? Infinity);
    expect(boxes(positions).size).toBe(4);
  });

  it("of nothing, or of one card, is well defined", () => {
    expect(layout([], [], SIZE).positions.size).toBe(0);
    expect(layout(["a"], [], SIZE).positions.get("a")).toEqual({ x: 0, y: 0 });
  });

  it("places a thousand runs in well under a fifth of a second", () => {
    const { all, links } = pipeline(50, 20);
    layout(all, links, SIZE); // the first call is compiled
    const start = performance.now();
    const { positions } = layout(all, links, SIZE);
    expect(performance.now() - start).toBeLessThan(200);
    expect(boxes(positions).size).toBe(1000);
  });

  it("places a chain of five thousand", () => {
    const { all, links } = pipeline(5000, 1);
    expect(layout(all, links, SIZE).columns).toHaveLength(5000);
  });
});

describe("neighbour", () => {
  const links = edges("ab ac ad");
  const laidOut = layout(nodes("abcd"), links, SIZE);
  const go = (arrow: string, here: string) => neighbour(arrow, here, backward(links), forward(links), laidOut);

  it("follows the links sideways, to the nearest card", () => {
    expect(go("ArrowRight", "a")).toBe("c");
    expect(go("ArrowLeft", "d")).toBe("a");
    expect(go("ArrowLeft", "a")).toBeUndefined();
  });

  it("goes up and down in a level, and stops at its ends", () => {
    expect(go("ArrowDown", "b")).toBe("c");
    expect(go("ArrowUp", "c")).toBe("b");
    expect(go("ArrowDown", "d")).toBeUndefined();
    expect(go("ArrowUp", "nothing")).toBeUndefined();
  });

  it("leads to every card that has no edge", () => {
    const alone = Array.from({ length: 60 }, (_, index) => `n${index}`);
    const grid = layout(alone, [], SIZE);
    const seen = new Set<string>();
    for (let row = grid.columns[0]?.[0]; row !== undefined; row = neighbour("ArrowDown", row, NONE, NONE, grid)) {
      for (let at: string | undefined = row; at !== undefined; at = neighbour("ArrowRight", at, NONE, NONE, grid)) {
        seen.add(at);
      }
    }
    expect(seen.size).toBe(60);
  });
});

const NONE = new Map<string, string[]>();
