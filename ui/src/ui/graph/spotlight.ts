/** The card under the pointer or with the focus, and with it all that is up- and downstream of it. */

import { createContext, useContext, useSyncExternalStore } from "react";

import type { LabelledEdge } from "./types";

/** What is lit up; everything else is dimmed. */
export interface Lit {
  cards: ReadonlySet<string>;
  lines: ReadonlySet<LabelledEdge>;
}

/** Only the cards and lines for which something changes are drawn again. */
export class Spotlight {
  /** The card that has the focus; it stays the one at which the keyboard comes back. */
  focused: string | null = null;
  private hovered: string | null = null;
  private inside = false;
  private lit: Lit | null = null;
  private find: (key: string) => Lit | null = () => null;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Whom the light falls on; null: on nobody. */
  get key(): string | null {
    return this.hovered ?? (this.inside ? this.focused : null);
  }

  readonly focus = (key: string) => {
    this.change(() => ([this.focused, this.inside] = [key, true]));
  };

  /** The card that had the focus is another one now; the focus itself hasn't come back yet. */
  readonly inherit = (key: string) => {
    this.change(() => (this.focused = key));
  };

  readonly leave = () => {
    this.change(() => (this.inside = false));
  };

  readonly hover = (key: string | null) => {
    this.change(() => (this.hovered = key));
  };

  /** How to find what is lit up by a card; told anew when the graph changes. */
  readonly light = (find: (key: string) => Lit | null) => {
    this.find = find;
    this.tell();
  };

  readonly ofCard = (key: string) => (this.lit === null ? undefined : this.lit.cards.has(key) ? "lit" : "dim");

  readonly ofLine = (line: LabelledEdge) =>
    this.lit === null ? undefined : this.lit.lines.has(line) ? "lit" : ("dim" as const);

  private change(act: () => void): void {
    const before = this.key;
    act();
    if (before !== this.key) {
      this.tell();
    }
  }

  private tell(): void {
    this.lit = this.key === null ? null : this.find(this.key);
    this.listeners.forEach((listener) => listener());
  }
}

export const Light = createContext(new Spotlight());

export function useLight<Seen>(see: (light: Spotlight) => Seen): Seen {
  const light = useContext(Light);
  return useSyncExternalStore(light.subscribe, () => see(light));
}
