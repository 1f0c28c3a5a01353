/**
 * The address in the browser's bar, where this page is shown by Airflow's menu: it is always one that leads back here.
 *
 * A step in a frame's history is lost when the page around it is loaded again. So the steps are made in the history of
 * Airflow's window, and the frame only ever replaces its own address. On Airflow's tabs the address is Airflow's alone.
 */

import { appRoot, parentWindow } from "./parent";

/** The part of Airflow's address before ours, such as `/plugin/rerun-downstream`; null: the address isn't ours. */
function menuBase(): string | null {
  return parentWindow?.location.pathname.match(/^(.*\/plugin\/rerun-downstream)(?:\/|$)/)?.[1] ?? null;
}

/** This page's address as the browser's bar has it; null where it says nothing of us. */
function shownAddress(): string | null {
  const base = menuBase();
  if (parentWindow === null || base === null) {
    return null;
  }
  const { pathname, search, hash } = parentWindow.location;
  const inner = pathname.slice(base.length);
  return inner.startsWith(appRoot) ? inner + search + hash : null;
}

/** Where to begin: what the browser's bar says, after a reload or a login. Call it before the router starts. */
export function adoptAddress(): void {
  const shown = shownAddress();
  if (shown !== null) {
    window.history.replaceState(null, "", shown);
  }
}

/** The window that the router is to work with. */
export function routerWindow(): Window {
  const base = menuBase();
  return parentWindow === null || base === null ? window : new MenuWindow(parentWindow, base).asWindow();
}

class MenuWindow {
  constructor(
    private readonly outer: Window,
    private readonly base: string,
  ) {
    this.replace(window.history.state, "", window.location.href);
  }

  /** As much of a window as the router uses. */
  asWindow(): Window {
    const history = {
      get state(): unknown {
        return window.history.state as unknown;
      },
      replaceState: this.replace,
      pushState: this.push,
      go: (steps: number) => this.outer.history.go(steps),
    };
    const { document, location } = window;
    const { addEventListener, removeEventListener } = this;
    return { document, location, history, addEventListener, removeEventListener } as unknown as Window;
  }

  private readonly replace = (state: unknown, _title: string, url: string): void => {
    window.history.replaceState(state, "", url);
    this.outer.history.replaceState(this.outer.history.state, "", this.outside());
  };

  private readonly push = (state: unknown, _title: string, url: string): void => {
    window.history.replaceState(state, "", url);
    this.outer.history.pushState(null, "", this.outside());
  };

  private outside(): string {
    const { pathname, search, hash } = window.location;
    return this.base + pathname + search + hash;
  }

  private readonly handlers = new Map<EventListener, AbortController>();

  /** The router listens for `popstate` alone: Back and Forward, which happen in the outer window. */
  private readonly addEventListener = (type: string, handler: EventListener): void => {
    const stop = new AbortController();
    this.handlers.set(handler, stop);
    const moved = (event: Event) => {
      const shown = shownAddress();
      if (shown !== null) {
        window.history.replaceState(null, "", shown);
        handler(event);
      }
    };
    this.outer.addEventListener(type, moved, { signal: stop.signal });
    // The outer window lives on when Airflow shows another page in its frame, or none.
    window.addEventListener("pagehide", () => stop.abort(), { signal: stop.signal });
  };

  private readonly removeEventListener = (_type: string, handler: EventListener): void => {
    this.handlers.get(handler)?.abort();
    this.handlers.delete(handler);
  };
}
