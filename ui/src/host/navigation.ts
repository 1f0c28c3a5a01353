/** Going to Airflow's own pages. */

import { airflowRoot, parentWindow } from "./parent";

/** Path of a Dag run's own page in Airflow, relative to Airflow's root. */
export function dagRunPath(dagId: string, runId: string): string {
  return `dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}`;
}

export function airflowUrl(path: string): string {
  return airflowRoot + path;
}

/**
 * Open one of Airflow's pages. The sandbox of its iframe blocks `target=_top` and new windows, so that Airflow's own
 * router is told instead; Back returns here.
 */
export function openAirflow(path: string, newTab = false): void {
  const url = airflowUrl(path);
  if (newTab) {
    (parentWindow ?? window).open(url, "_blank", "noopener");
  } else if (parentWindow === null) {
    window.location.href = url;
  } else {
    parentWindow.history.pushState(null, "", url);
    parentWindow.dispatchEvent(new PopStateEvent("popstate", { state: null }));
  }
}

/** Go to Airflow's login, which leads back to where the person is now. */
export function login(): void {
  const here = parentWindow ?? window;
  const link = here.document.createElement("a");
  link.href = `${airflowRoot}api/v2/auth/login?next=${encodeURIComponent(here.location.href)}`;
  here.document.body.append(link);
  link.click();
}
