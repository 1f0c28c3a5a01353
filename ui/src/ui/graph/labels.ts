/** What stands on the lines: each text once for all lines of a card that say the same, beside that card. */

import type { LabelledEdge } from "./types";

export interface Label {
  /** The card that it stands beside, and whether after it (where its lines begin) or before it (where they end). */
  node: string;
  after: boolean;
  text: string;
  /** Which one of the card's labels on that side it is, of how many. */
  index: number;
  count: number;
  /** The lines that it tells of. */
  edges: LabelledEdge[];
}

/** The height of a line of text, and room beside it; a longer text is cut. */
export const TEXT = { height: 18, longest: 168 };

const NARROW = 6.2;
const WIDE = 11.5;
const PADDING = 10;
/** From here on the letters of Chinese, Japanese and Korean. */
const WIDE_FROM = 0x2e80;

/** About how wide a text is; enough for where it stands, and never more than `TEXT.longest`. */
export function textWidth(text: string): number {
  let width = PADDING;
  for (const letter of text) {
    width += (letter.codePointAt(0) ?? 0) < WIDE_FROM ? NARROW : WIDE;
  }
  return Math.min(width, TEXT.longest);
}

interface Candidate extends Pick<Label, "node" | "after" | "text" | "edges"> {
  side: string;
}

/**
 * The labels of a graph. A text goes to the end at which most lines share it, so that it is said once for a source of
 * many, and once for what reads from many. Where a card has no room for one more, the lines of the rest have none.
 */
export function labelled(edges: readonly LabelledEdge[], height: number): Label[] {
  const room = Math.max(1, Math.floor(height / TEXT.height));
  const sides = new Map<string, Label[]>();
  const told = new Set<LabelledEdge>();
  for (const { side, edges: all, ...rest } of candidates(edges)) {
    const left = all.filter((edge) => !told.has(edge));
    const labels = sides.get(side) ?? [];
    if (left.length > 0 && labels.length < room) {
      left.forEach((edge) => told.add(edge));
      labels.push({ ...rest, edges: left, index: labels.length, count: 0 });
      sides.set(side, labels);
    }
  }
  return [...sides.values()].flatMap((labels) => labels.map((label) => ({ ...label, count: labels.length })));
}

function candidates(edges: readonly LabelledEdge[]): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const edge of edges) {
    const { label: text } = edge;
    for (const after of text ? [true, false] : []) {
      const node = after ? edge.from : edge.to;
      const side = `${after ? ">" : "<"}${node}`;
      const key = `${side}\n${text ?? ""}`;
      const candidate = found.get(key) ?? { node, after, side, text: text ?? "", edges: [] };
      candidate.edges.push(edge);
      found.set(key, candidate);
    }
  }
  // What only one line says stands where it ends: there is more room than where many begin.
  const rank = ({ edges: all, after }: Candidate) => all.length - (all.length === 1 && after ? 0.5 : 0);
  return [...found.values()].sort((one, other) => rank(other) - rank(one));
}
