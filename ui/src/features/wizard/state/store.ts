/** Keeps a draft through reload, login and Back, and tells those parts of the page that show what has changed. */

import { useSyncExternalStore } from "react";

import type { RunRef } from "../../../api/types";
import { keyOf } from "../../../domain/runName";
import { type Change, type Draft, newDraft, reduce } from "./draft";
import { restored, stored } from "./stored";

const PREFIX = "rerun-downstream:draft:";
const PAUSE = 200;

export class DraftStore {
  private draft: Draft;
  private readonly place: string;
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `again`: the rerun that is to be done again, or null. What is kept of another one, or of none, isn't this draft. `anew`:
   * nor is what is kept of this one.
   */
  constructor(source: RunRef, again: number | null = null, anew = false) {
    this.place = PREFIX + keyOf(source);
    const kept = anew ? undefined : restored(read(this.place), source);
    this.draft = kept !== undefined && (kept.again ?? kept.unread) === again ? kept : newDraft(source);
  }

  readonly get = (): Draft => this.draft;

  readonly dispatch = (change: Change): void => {
    const next = reduce(this.draft, change);
    if (next !== this.draft) {
      this.draft = next;
      this.timer ??= setTimeout(this.save, PAUSE);
      this.listeners.forEach((listener) => listener());
    }
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    window.addEventListener("pagehide", this.save);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        window.removeEventListener("pagehide", this.save);
        this.save();
      }
    };
  };

  /** The draft has become a rerun, or the person wants another: begin anew. */
  clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.draft = newDraft(this.draft.source);
    try {
      sessionStorage.removeItem(this.place);
    } catch {
      // Forbidden: then nothing is kept there.
    }
  }

  /** Forgets what was entered, on the page, too. */
  readonly startOver = (): void => {
    this.clear();
    this.listeners.forEach((listener) => listener());
  };

  private readonly save = (): void => {
    if (this.timer === undefined) {
      return; // nothing has changed
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    try {
      sessionStorage.setItem(this.place, stored(this.draft));
    } catch {
      // Full, or forbidden: the draft lives as long as the page.
    }
  };
}

/** What is stored; nothing, where the browser forbids to look. */
function read(place: string): string | null {
  try {
    return sessionStorage.getItem(place);
  } catch {
    return null;
  }
}

/** A part of the draft; the component is rendered again when that part has become another value. */
export function useDraft<Part>(store: DraftStore, part: (draft: Draft) => Part): Part {
  return useSyncExternalStore(store.subscribe, () => part(store.get()));
}
