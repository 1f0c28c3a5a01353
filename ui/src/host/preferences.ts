/** What the person has chosen in Airflow, and this page follows: colour mode, language, time zone. */

import { useSyncExternalStore } from "react";

import { parentWindow } from "./parent";

export interface Preferences {
  dark: boolean;
  language: string;
  timeZone: string;
}

function isDark(): boolean {
  if (parentWindow !== null) {
    return parentWindow.document.documentElement.classList.contains("dark");
  }
  const chosen = localStorage.getItem("theme");
  return chosen === "dark" || (chosen !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
}

function languageNow(): string {
  // Airflow's page has lang="en" before its translations are there, so what is stored comes first.
  const stored = localStorage.getItem("i18nextLng");
  return stored ?? (parentWindow?.document.documentElement.lang || navigator.language);
}

function timeZoneNow(): string {
  const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    const stored: unknown = JSON.parse(localStorage.getItem("timezone") ?? "null");
    if (typeof stored === "string") {
      Intl.DateTimeFormat(undefined, { timeZone: stored });
      return stored;
    }
  } catch {
    // Not JSON, or not a time zone that this browser knows.
  }
  return local;
}

let current: Preferences = read();

function read(): Preferences {
  return { dark: isDark(), language: languageNow(), timeZone: timeZoneNow() };
}

function subscribe(changed: () => void): () => void {
  const look = () => {
    const now = read();
    if (now.dark !== current.dark || now.language !== current.language || now.timeZone !== current.timeZone) {
      current = now;
      changed();
    }
  };
  const stop = new AbortController();
  window.addEventListener("storage", look, { signal: stop.signal });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", look, { signal: stop.signal });
  if (parentWindow === null) {
    return () => stop.abort();
  }
  // Airflow's page and this one share their storage, but the browser tells only the other windows of a change.
  parentWindow.addEventListener("local-storage", look, { signal: stop.signal });
  const observer = new MutationObserver(look);
  observer.observe(parentWindow.document.documentElement, { attributes: true, attributeFilter: ["class", "lang"] });
  return () => {
    stop.abort();
    observer.disconnect();
  };
}

/** The person's choices; the component is rendered again when one changes. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current);
}

/** The person's choices at this moment. */
export function preferences(): Preferences {
  return current;
}
