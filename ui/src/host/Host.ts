/** What is around this page: Airflow's own window, or a browser's tab. Everything else asks it through `host()`. */

import { useSyncExternalStore } from "react";

/** What the user has chosen in Airflow, and this page follows. */
export interface Preferences {
  dark: boolean;
  language: string;
  timeZone: string;
}

export interface Host {
  /** Path of Airflow's own pages, with a slash at its end: `/`, or `/airflow/` below a sub-path. */
  readonly airflowRoot: string;
  /** Whether links to Airflow's pages have to be opened by `openAirflow`, because a plain one would lead nowhere. */
  readonly embedded: boolean;
  /** Whether this is a tab on one of Airflow's pages, which say themselves where one is. */
  onTab: () => boolean;
  /** Whether the page around this one is that Dag run's, or a part of it. */
  isAbout: (dagId: string, runId: string) => boolean;
  /** The same object until one of them changes. */
  preferences: () => Preferences;
  /** Calls back when a preference has changed; answers how to stop that. */
  subscribe: (changed: () => void) => () => void;
  /** The address in the browser's bar: it leads back to what is shown. */
  address: () => string;
  /** Gives the browser's tab its title while this page is there. */
  setTitle: (text: string) => void;
  /** The styles of the page around this one, a site's own theme included; null where there is none. */
  styles: () => CSSStyleDeclaration | null;
  /** Opens one of Airflow's pages, relative to its root. */
  openAirflow: (path: string, newTab?: boolean) => void;
  /** Goes to Airflow's login, which leads back to where the user is now. */
  login: () => void;
  /** Loads the page around this one again, which leads back to what is shown. */
  reload: () => void;
  /** Saves what an address of this server answers. */
  download: (url: string, name: string) => void;
  /** The window for the router, at the address with which this page begins. */
  routerWindow: () => Window;
}

let installed: Host | undefined;

/** Call it before anything is drawn or asked. */
export function installHost(host: Host): void {
  installed = host;
}

export function host(): Host {
  if (installed === undefined) {
    throw new Error("no host is installed");
  }
  return installed;
}

/** The user's choices; the component is rendered again when one changes. */
export function usePreferences(): Preferences {
  const { subscribe, preferences } = host();
  return useSyncExternalStore(subscribe, preferences);
}
