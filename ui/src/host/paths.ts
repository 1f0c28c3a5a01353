/** Paths below Airflow's root. */

import type { Host } from "./Host";

const APP = "rerun-downstream/ui";

type Rooted = Pick<Host, "airflowRoot">;

/** Airflow's root, by the path of this application below it. */
export function rootOf(pathname: string): string {
  const at = pathname.indexOf(`/${APP}`);
  return at < 0 ? "/" : pathname.slice(0, at + 1);
}

/** Path of this application, without a slash at its end. */
export function appRoot({ airflowRoot }: Rooted): string {
  return airflowRoot + APP;
}

/** Path of the REST API of this package, without a slash at its end. */
export function apiRoot({ airflowRoot }: Rooted): string {
  return `${airflowRoot}rerun-downstream`;
}

/** Path of a Dag run's own page in Airflow, relative to Airflow's root. */
export function dagRunPath(dagId: string, runId: string): string {
  return `dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}`;
}

/** Whether a path of Airflow's is that Dag run's page, or one below it. */
export function isDagRunPath(pathname: string, dagId: string, runId: string): boolean {
  // Airflow 3.1 doesn't encode all of a run's id.
  const path = `${decoded(pathname)}/`;
  return path.includes(`/dags/${dagId}/runs/${runId}/`);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The part of a path before ours, where Airflow's menu shows this application; undefined elsewhere. */
export function menuBase(pathname: string): string | undefined {
  return /^(.*\/plugin\/rerun-downstream)(?:\/|$)/.exec(pathname)?.[1];
}

/** Path of one of our own pages in Airflow's menu, with all the width there is; relative to Airflow's root. */
export function menuPath(host: Rooted, { pathname, search }: { pathname: string; search: string }): string {
  return `plugin/rerun-downstream${appRoot(host)}${pathname}${search}`;
}

/** Airflow's address with its sub-path, without a slash at its end; `origin` is this page's. */
export function airflowAddress({ airflowRoot }: Rooted, origin: string): string {
  return origin + airflowRoot.replace(/\/$/, "");
}
