/** Groups in place of large levels: what is drawn then, and which links each line between them stands for. */

import type { Neighbours } from "./structure";
import type { LabelledEdge } from "./types";

/** A level with more cards than this is folded into groups. */
export const LARGE = 16;

/** Runs that are drawn as one card. */
export interface Group {
  key: string;
  /** What its runs have in common: the Dag or the state by which they were put together; null: only the level. */
  name: string | null;
  nodes: readonly string[];
}

export interface Folded {
  /** Nodes and groups in place of the nodes. */
  shown: string[];
  groups: Map<string, Group>;
  /** The groups that were opened, by their keys. */
  opened: Map<string, Group>;
  /** Where a node is drawn: itself, or its group. */
  holder: Map<string, string>;
}

export interface Folding {
  level: ReadonlyMap<string, number>;
  after: Neighbours;
  before: Neighbours;
  /** By what nodes of a level go together. */
  nameOf: (node: string) => string;
  /** Nodes that are never folded away. */
  keep: (node: string) => boolean;
  /** The keys of the groups that are open. */
  open: ReadonlySet<string>;
}

/** Folds the large levels. Nodes without any edge are a level of their own, since they stand apart. */
export function fold(nodes: readonly string[], folding: Folding): Folded {
  const levels = new Map<number, string[]>();
  for (const node of nodes) {
    const alone = !folding.after.has(node) && !folding.before.has(node);
    const level = alone ? -1 : (folding.level.get(node) ?? 0);
    const found = levels.get(level) ?? [];
    found.push(node);
    levels.set(level, found);
  }
  const folded: Folded = { shown: [], groups: new Map(), opened: new Map(), holder: new Map() };
  for (const [level, all] of levels) {
    foldLevel(level, all, folding, folded);
  }
  return folded;
}

function foldLevel(level: number, nodes: readonly string[], folding: Folding, folded: Folded): void {
  const loose = nodes.filter(folding.keep);
  const rest = loose.length > 0 ? nodes.filter((node) => !folding.keep(node)) : nodes;
  loose.forEach((node) => show(node, [node], folded));
  if (rest.length <= LARGE) {
    rest.forEach((node) => show(node, [node], folded));
    return;
  }
  const named = new Map<string, string[]>();
  for (const node of rest) {
    const name = folding.nameOf(node);
    const found = named.get(name) ?? [];
    found.push(node);
    named.set(name, found);
  }
  const groups = Array.from(named, ([name, all]) => ({ key: keyOf(level, name), name, nodes: all }));
  for (const { left, whole } of tooMany(level, groups, folding)) {
    if (whole !== undefined && !folding.open.has(whole.key)) {
      close(whole, folded);
      continue;
    }
    if (whole !== undefined) {
      folded.opened.set(whole.key, whole);
    }
    left.forEach((group) => put(group, folding, folded));
  }
}

const keyOf = (level: number, name: string) => `group\u0000${level}\u0000${name}`;

/**
 * What is left of a level when all its groups together are too many: one group, if it can be of those that lead nowhere,
 * so that a line which leaves a group is seldom.
 */
function tooMany(level: number, groups: readonly Group[], { after }: Folding): { left: Group[]; whole?: Group }[] {
  if (groups.length <= LARGE) {
    return [{ left: [...groups] }];
  }
  const ends = groups.filter(({ nodes }) => nodes.every((node) => !after.has(node)));
  const others = groups.filter((group) => !ends.includes(group));
  const whole = (part: string, all: Group[]) => ({
    left: all,
    whole: { key: keyOf(level, `\u0000${part}`), name: null, nodes: all.flatMap(({ nodes }) => nodes) },
  });
  return others.length < LARGE ? [{ left: others }, whole("ends", ends)] : [whole("all", [...groups])];
}

/** A group, or its nodes where it is open or has only one. */
function put(group: Group, { open }: Folding, folded: Folded): void {
  const { key, nodes } = group;
  if (nodes.length > 1 && !open.has(key)) {
    close(group, folded);
    return;
  }
  if (nodes.length > 1) {
    folded.opened.set(key, group);
  }
  nodes.forEach((node) => show(node, [node], folded));
}

function close(group: Group, folded: Folded): void {
  folded.groups.set(group.key, group);
  show(group.key, group.nodes, folded);
}

function show(key: string, nodes: readonly string[], { shown, holder }: Folded): void {
  shown.push(key);
  nodes.forEach((node) => holder.set(node, key));
}

/** A line on the screen, and the edges that it stands for. */
export interface DrawnEdge extends LabelledEdge {
  links: readonly LabelledEdge[];
}

/** The edges between what is shown: one line for all that lead from one card to another. */
export function drawnEdges(edges: readonly LabelledEdge[], holder: ReadonlyMap<string, string>): DrawnEdge[] {
  const found = new Map<string, { from: string; to: string; links: LabelledEdge[] }>();
  for (const edge of edges) {
    const [from, to] = [holder.get(edge.from), holder.get(edge.to)];
    if (from !== undefined && to !== undefined && from !== to) {
      const key = `${from}\n${to}`;
      const line = found.get(key) ?? { from, to, links: [] };
      line.links.push(edge);
      found.set(key, line);
    }
  }
  return Array.from(found.values(), (line) => {
    const [only, ...more] = line.links;
    return more.length === 0 ? { ...only, ...line } : bundle(line);
  });
}

/** What many links say together: each text once, and how many links they are. */
function bundle(line: Pick<DrawnEdge, "from" | "to" | "links">): DrawnEdge {
  const texts = [...new Set(line.links.map(({ label }) => label).filter(Boolean))];
  const label = texts.length > 0 ? `${texts.join(", ")} × ${line.links.length}` : undefined;
  return { ...line, label, unsure: line.links.every(({ unsure }) => unsure) };
}
