/** What a graph is drawn from. */

import type { ReactNode, Ref } from "react";

import type { GraphMemory } from "./memory";
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

/** How nodes of large levels are folded into groups, and what a group shows. */
export interface Grouping {
  /** What the nodes are, for the words: runs of Dags where it isn't said, or tasks of task groups. */
  of?: "tasks";
  /** The same function until a node gets another Dag: the graph is laid out anew when it changes. */
  dagOf: (key: string) => string;
  stateOf: (key: string) => string;
  /** The states, first those that a person has to look at; with the name and the palette of each. */
  states: readonly { state: string; word: string; color: string }[];
  /** A node that is never folded away. */
  keep?: string;
  /** What a group's card shows above its states. */
  extra?: (nodes: readonly string[]) => ReactNode;
  /** What more a screen reader is told of a group. */
  says?: (nodes: readonly string[]) => string;
  /** Space on a group. */
  onToggle?: (nodes: readonly string[]) => void;
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
  /** Without it, large levels aren't folded. */
  groups?: Grouping;
  /** Where the person was in this graph when it was last on the screen. */
  memory?: GraphMemory;
  /** A card, not a control on it, was given the focus by pointer or by key. */
  onCurrent?: (key: string) => void;
  /** Space on a card. */
  onToggle?: (key: string) => void;
  /** Enter on a card. */
  onOpen?: (key: string) => void;
  /** Any other key on a card, as `KeyboardEvent.key` names it; true: it did something. */
  onKey?: (key: string, pressed: string) => boolean;
}
