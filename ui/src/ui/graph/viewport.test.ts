import { describe, expect, it } from "vitest";

import { firstViewport } from "./viewport";
import { layout } from "./layout";

const SIZE = { width: 200, height: 100 };
const ROOM = { width: 1200, height: 700 };

/** Runs in a row, each reading from the one before. */
function chain(length: number) {
  const nodes = Array.from({ length }, (_, index) => `n${index}`);
  return layout(
    nodes,
    nodes.slice(1).map((to, index) => ({ from: `n${index}`, to })),
    SIZE,
  );
}

describe("the first view", () => {
  it("shows the whole of a small graph in the middle, no larger than life", () => {
    const laidOut = chain(2);
    const view = firstViewport(laidOut, SIZE, ROOM);
    expect(view?.zoom).toBe(1);
    const edges = [...laidOut.positions.values()].map(({ x }) => x + (view?.x ?? 0));
    const [left, right] = [Math.min(...edges), ROOM.width - Math.max(...edges) - SIZE.width];
    expect(left).toBeCloseTo(right);
    expect(left).toBeGreaterThan(0);
  });

  it("makes a graph that is a little too large fit", () => {
    const laidOut = chain(5);
    const { x = 0, zoom = 1 } = firstViewport(laidOut, SIZE, ROOM) ?? {};
    expect(zoom).toBeLessThan(1);
    for (const position of laidOut.positions.values()) {
      expect(position.x * zoom + x).toBeGreaterThanOrEqual(0);
      expect((position.x + SIZE.width) * zoom + x).toBeLessThanOrEqual(ROOM.width);
    }
  });

  it("shows the beginning of a large graph, at a size that can be read", () => {
    const laidOut = chain(500);
    const { x = 0, y = 0, zoom = 0 } = firstViewport(laidOut, SIZE, ROOM) ?? {};
    const start = laidOut.positions.get("n0") ?? { x: 0, y: 0 };
    expect(zoom).toBeGreaterThan(0.8);
    expect(start.x * zoom + x).toBe(32);
    expect((start.y + SIZE.height / 2) * zoom + y).toBeCloseTo(ROOM.height / 2);
  });

  it("is nothing where there is nothing, or no room yet", () => {
    expect(firstViewport(layout([], [], SIZE), SIZE, ROOM)).toBeUndefined();
    expect(firstViewport(chain(2), SIZE, { width: 0, height: 0 })).toBeUndefined();
  });
});
