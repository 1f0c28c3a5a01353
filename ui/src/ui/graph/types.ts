/** What a graph is drawn from. */

import type { ReactNode, Ref } from "react";

import type { Size } from "./layout";
import type { GraphEdge } from "./structure";

export interface LabelledEdge extends GraphEdge {
  /** What stands on the line, and what a pointer that rests there, or a screen reader, is told. */
  label?: string;
  title?: string;
  /** Drawn dashed: not sure. */
  unsure?: boolean;
}

/** What a page can ask of a graph on the screen. */
export interface GraphHandle {
  /** Bring a card into the middle and give it the focus; one that the graph doesn't have is left alone. */
  focus: (key: string) => void;
}

export interface GraphProps {
  label: string;
  /** What the keys do here, where it isn't what the graph of runs says. */
  keysHint?: string;
  nodes: readonly string[];
  edges: readonly LabelledEdge[];
  size: Size;
  card: (key: string) => ReactNode;
  /** Names a card for screen readers. */
  nameOf: (key: string) => string;
  /** The colour of a node in the mini-map: a palette's name. */
  colorOf: (key: string) => string;
  ref?: Ref<GraphHandle>;
  /** A card, not a control on it, was given the focus by pointer or by key. */
  onCurrent?: (key: string) => void;
  /** Space on a card. */
  onToggle?: (key: string) => void;
  /** Enter on a card. */
  onOpen?: (key: string) => void;
  /** Any other key on a card, as `KeyboardEvent.key` names it; true: it did something. */
  onKey?: (key: string, pressed: string) => boolean;
}
