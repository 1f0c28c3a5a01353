/**
 * The address in the browser's bar, where this page is shown by Airflow's menu: it is always one that leads back here.
 *
 * A step in a frame's history is lost when the page around it is loaded again. So the steps are made in the history of
 * Airflow's window, and the frame only ever replaces its own address. On Airflow's tabs the address is Airflow's alone.
 */

import { menuBase } from "./paths";

/**
 * A window for the router, which begins where the browser's bar says, after a reload or a login; null where the address
 * isn't ours.
 */
export function menuWindow(page: Window, outer: Window, appRoot: string): Window | null {
  const base = menuBase(outer.location.pathname);
  return base === undefined ? null : new MenuWindow(page, outer, base, appRoot).asWindow();
}

class MenuWindow {
  constructor(
    private readonly page: Window,
    private readonly outer: Window,
    private readonly base: string,
    private readonly appRoot: string,
  ) {
    this.adopt();
    this.replace(page.history.state, "", page.location.href);
  }

  /** As much of a window as the router uses. */
  asWindow(): Window {
    const { page, outer } = this;
    const history = {
      get state(): unknown {
        return page.history.state as unknown;
      },
      replaceState: this.replace,
      pushState: this.push,
      go: (steps: number) => outer.history.go(steps),
    };
    const { document, location } = page;
    const { addEventListener, removeEventListener } = this;
    return { document, location, history, addEventListener, removeEventListener } as unknown as Window;
  }

  /** Takes over this page's address as the browser's bar has it; false where that says nothing of us. */
  private adopt(): boolean {
    const { pathname, search, hash } = this.outer.location;
    const inner = pathname.startsWith(this.base) ? pathname.slice(this.base.length) : "";
    const ours = inner.startsWith(this.appRoot);
    if (ours) {
      this.page.history.replaceState(null, "", inner + search + hash);
    }
    return ours;
  }

  private readonly replace = (state: unknown, _title: string, url: string): void => {
    this.page.history.replaceState(state, "", url);
    this.outer.history.replaceState(this.outer.history.state, "", this.outside());
  };

  private readonly push = (state: unknown, _title: string, url: string): void => {
    this.page.history.replaceState(state, "", url);
    this.outer.history.pushState(null, "", this.outside());
  };

  private outside(): string {
    const { pathname, search, hash } = this.page.location;
    return this.base + pathname + search + hash;
  }

  private readonly handlers = new Map<EventListener, AbortController>();

  /** The router listens for `popstate` alone: Back and Forward, which happen in the outer window. */
  private readonly addEventListener = (type: string, handler: EventListener): void => {
    const stop = new AbortController();
    this.handlers.set(handler, stop);
    const moved = (event: Event) => {
      if (this.adopt()) {
        handler(event);
      }
    };
    this.outer.addEventListener(type, moved, { signal: stop.signal });
    // The outer window lives on when Airflow shows another page in its frame, or none.
    this.page.addEventListener("pagehide", () => stop.abort(), { signal: stop.signal });
  };

  private readonly removeEventListener = (_type: string, handler: EventListener): void => {
    this.handlers.get(handler)?.abort();
    this.handlers.delete(handler);
  };
}
