import { describe, expect, it } from "vitest";

import { backward, forward, type GraphEdge, levels, reachable } from "./structure";

const edge = (text: string): GraphEdge => ({ from: text[0] ?? "", to: text[1] ?? "" });
const edges = (text: string) => text.split(" ").filter(Boolean).map(edge);
const nodes = (text: string) => text.split("");

describe("neighbours", () => {
  it("are listed once, in the order of the edges, both ways", () => {
    expect(forward(edges("ac ab ac"))).toEqual(new Map([["a", ["c", "b"]]]));
    expect(backward(edges("ac bc ac"))).toEqual(new Map([["c", ["a", "b"]]]));
  });

  it("of a node with thousands are found at once", () => {
    const star = Array.from({ length: 20_000 }, (_, index) => ({ from: "hub", to: `a long name of a run ${index}` }));
    const start = performance.now();
    expect(forward(star).get("hub")).toHaveLength(20_000);
    expect(performance.now() - start).toBeLessThan(400);
  });
});

describe("reachable", () => {
  it("has the start and everything after it, through circles", () => {
    expect(reachable(["b"], forward(edges("ab bc cb cd")))).toEqual(new Set(nodes("bcd")));
  });

  it("doesn't leave closed nodes", () => {
    expect(reachable(["a"], forward(edges("ab bc ad dc")), new Set(["b"]))).toEqual(new Set(nodes("abdc")));
    expect(reachable(["a"], forward(edges("ab bc")), new Set(["b"]))).toEqual(new Set(nodes("ab")));
  });
});

describe("levels", () => {
  it("count the longest way", () => {
    expect(levels(nodes("abcd"), edges("ab bc ac cd"))).toEqual(
      new Map([
        ["a", 0],
        ["b", 1],
        ["c", 2],
        ["d", 3],
      ]),
    );
  });

  it("leave out the edge that closes a circle", () => {
    const found = levels(nodes("abc"), edges("ab bc ca"));
    expect([found.get("a"), found.get("b"), found.get("c")]).toEqual([0, 1, 2]);
    expect(levels(nodes("a"), edges("aa"))).toEqual(new Map([["a", 0]]));
  });

  it("put a chain of five thousand in order", () => {
    const chain = Array.from({ length: 5000 }, (_, index) => `${index}`);
    const links = chain.slice(1).map((to, index) => ({ from: `${index}`, to }));
    expect(levels(chain, links).get("4999")).toBe(4999);
    expect(levels([...chain].reverse(), links).get("4999")).toBe(4999);
  });
});
