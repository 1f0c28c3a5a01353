import { describe, expect, it } from "vitest";

import { drawnEdges, fold, type Folding, LARGE } from "./folding";
import { backward, forward, levels } from "./structure";
import type { LabelledEdge } from "./types";

/** One source, and so many runs that read it; of these, `going` have one that reads them. */
function fan(count: number, dagOf: (index: number) => string, going = 0) {
  const wide = Array.from({ length: count }, (_, index) => `${dagOf(index)}/${index}`);
  const nodes = ["a/0", ...wide, ...wide.slice(0, going).map((node) => `after_${node}`)];
  const edges: LabelledEdge[] = [
    ...wide.map((to) => ({ from: "a/0", to, label: "asset" })),
    ...wide.slice(0, going).map((from) => ({ from, to: `after_${from}`, label: "sensor" })),
  ];
  return { nodes, edges };
}

function folding(nodes: string[], edges: LabelledEdge[], more: Partial<Folding> = {}): Folding {
  return {
    level: levels(nodes, edges),
    after: forward(edges),
    before: backward(edges),
    nameOf: (node) => node.slice(0, node.indexOf("/")),
    keep: (node) => node === "a/0",
    open: new Set(),
    ...more,
  };
}

const groupsOf = (nodes: string[], edges: LabelledEdge[], more?: Partial<Folding>) =>
  Array.from(fold(nodes, folding(nodes, edges, more)).groups.values(), ({ name, nodes: all }) => [name, all.length]);

describe("folding", () => {
  it("leaves small levels alone", () => {
    const { nodes, edges } = fan(LARGE, (index) => `d${index}`);
    expect(fold(nodes, folding(nodes, edges)).shown).toEqual(nodes);
  });

  it("puts the runs of a Dag together, and leaves single ones", () => {
    const { nodes, edges } = fan(20, (index) => (index < 12 ? "hourly" : index < 18 ? "daily" : `d${index}`));
    expect(groupsOf(nodes, edges)).toEqual([
      ["hourly", 12],
      ["daily", 6],
    ]);
    expect(fold(nodes, folding(nodes, edges)).shown).toHaveLength(5);
  });

  it("puts many Dags together, but not those that lead on to others", () => {
    const { nodes, edges } = fan(37, (index) => `d${index}`, 1);
    expect(groupsOf(nodes, edges)).toEqual([[null, 36]]);
    expect(fold(nodes, folding(nodes, edges)).shown).toContain("d0/0");
  });

  it("puts all of a level together where too many of it lead on", () => {
    const { nodes, edges } = fan(37, (index) => `d${index}`, 30);
    expect(groupsOf(nodes, edges)).toEqual([
      [null, 37],
      [null, 30],
    ]);
  });

  it("opens a group, and then the groups in it", () => {
    const { nodes, edges } = fan(60, (index) => `d${index % 30}`);
    const [whole = ""] = fold(nodes, folding(nodes, edges)).groups.keys();
    const once = fold(nodes, folding(nodes, edges, { open: new Set([whole]) }));
    expect(once.groups.size).toBe(30);
    const [first = ""] = once.groups.keys();
    const twice = fold(nodes, folding(nodes, edges, { open: new Set([whole, first]) }));
    expect(twice.groups.size).toBe(29);
    expect([...twice.opened.keys()]).toEqual([whole, first]);
    expect(twice.holder.get("d0/0")).toBe("d0/0");
  });

  it("folds runs without links apart from those that begin the pipeline, and never the source", () => {
    const alone = Array.from({ length: 40 }, (_, index) => `alone/${index}`);
    const { nodes, edges } = fan(2, (index) => `d${index}`);
    const found = fold([...nodes, ...alone], folding([...nodes, ...alone], edges));
    expect(found.shown.slice(0, 3)).toEqual(nodes);
    expect(found.shown).toHaveLength(4);
  });
});

describe("the lines between groups", () => {
  it("stand for all links between their runs, and say each text once", () => {
    const { nodes, edges } = fan(20, () => "hourly");
    const folded = fold(nodes, folding(nodes, edges));
    const lines = drawnEdges(edges, folded.holder);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ from: "a/0", label: "asset × 20", links: edges });
  });

  it("are dashed only if every link is unsure", () => {
    const holder = new Map([["a", "a"], ["b", "g"], ["c", "g"]]); // prettier-ignore
    const links = [
      { from: "a", to: "b", unsure: true },
      { from: "a", to: "c" },
    ];
    expect(drawnEdges(links, holder)[0]?.unsure).toBe(false);
    expect(drawnEdges(links.slice(0, 1), holder)[0]?.unsure).toBe(true);
  });
});
