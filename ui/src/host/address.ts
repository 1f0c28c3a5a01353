/**
 * The address in the browser's bar, where this page is shown by Airflow: it is always one that leads back here.
 *
 * A step in a frame's history is lost when the page around it is loaded again. So the steps are made in the history of
 * Airflow's window, and the frame only ever replaces its own address.
 */

import { menuBase } from "./paths";

/** How an address of ours stands in the browser's bar. */
interface Bar {
  /** Our address, with its path; null where the bar says nothing of us. */
  read: (location: Location) => string | null;
  /** The bar's, for one of ours. */
  write: (inner: string) => string;
}

/** A window for the router, which begins where the browser's bar says, after a reload or a login. */
export function outerWindow(page: Window, outer: Window, appRoot: string): Window {
  const base = menuBase(outer.location.pathname);
  const bar = base === undefined ? tabBar(page, outer, appRoot) : menuBar(base, appRoot);
  return new OuterWindow(page, outer, bar).asWindow();
}

/** In Airflow's menu our address follows Airflow's. */
function menuBar(base: string, appRoot: string): Bar {
  return {
    read: ({ pathname, search, hash }) => {
      const inner = pathname.startsWith(base) ? pathname.slice(base.length) : "";
      return inner.startsWith(appRoot) ? inner + search + hash : null;
    },
    write: (inner) => base + inner,
  };
}

/** On one of Airflow's tabs the address is Airflow's; ours is its fragment, which Airflow doesn't read. */
function tabBar(page: Window, outer: Window, appRoot: string): Bar {
  const tab = outer.location.pathname;
  const { pathname, search } = page.location;
  const entrance = pathname + search;
  return {
    read: (location) => {
      if (location.pathname !== tab) {
        return null;
      }
      return location.hash.startsWith("#/") ? appRoot + location.hash.slice(1) : entrance;
    },
    write: (inner) => `${tab}${outer.location.search}#${inner.slice(appRoot.length)}`,
  };
}

class OuterWindow {
  constructor(
    private readonly page: Window,
    private readonly outer: Window,
    private readonly bar: Bar,
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
    const inner = this.bar.read(this.outer.location);
    if (inner !== null) {
      this.page.history.replaceState(null, "", inner);
    }
    return inner !== null;
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
    return this.bar.write(pathname + search + hash);
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
