/** What the list of reruns shows, as the address keeps it and as the server is asked. */

import { parameters, query } from "../../host/parameters";
import type { RerunFilters, RerunState } from "../../api/types";

export const RERUN_STATES: readonly RerunState[] = [
  "proposed",
  "running",
  "paused",
  "failed",
  "terminating",
  "succeeded",
  "terminated",
];

export const LIMIT = 50;
const ORDER = "-id";

export interface RecordsView {
  state?: RerunState;
  /** A part of a name or of a reason. */
  text?: string;
  /** A part of the id of a Dag that takes part. */
  dag?: string;
  createdBy?: string;
  /** Moments, ISO 8601. */
  since?: string;
  until?: string;
  frozen?: boolean;
  /** A column's name, with "-" before it where it descends. */
  order: string;
  offset: number;
}

/** What an address asks for. Anything that it doesn't know is left out. */
export function viewOf(search: string): RecordsView {
  const found = parameters(search);
  const offset = Number(found.get("offset"));
  return {
    state: RERUN_STATES.find((state) => state === found.get("state")),
    text: found.get("search") || undefined,
    dag: found.get("dag") || undefined,
    createdBy: found.get("created_by") || undefined,
    since: found.get("since") || undefined,
    until: found.get("until") || undefined,
    frozen: found.get("frozen") === "true" || undefined,
    order: found.get("order_by") || ORDER,
    offset: Number.isInteger(offset) && offset > 0 ? offset : 0,
  };
}

/** The address of a view, without its "?"; what is as usual is left out. */
export function searchOf(view: RecordsView): string {
  return query({
    state: view.state,
    search: view.text,
    dag: view.dag,
    created_by: view.createdBy,
    since: view.since,
    until: view.until,
    frozen: view.frozen ? "true" : undefined,
    order_by: view.order === ORDER ? undefined : view.order,
    offset: view.offset || undefined,
  });
}

/** What of an address stays for the next visit: all but the page of the list. */
export function lastingPart(search: string): string {
  return searchOf({ ...viewOf(search), offset: 0 });
}

/** The question for the server. */
export function filtersOf(view: RecordsView): RerunFilters {
  return {
    state: view.state && [view.state],
    search: view.text,
    dag_id_pattern: view.dag,
    created_by: view.createdBy,
    created_at_gte: view.since,
    created_at_lte: view.until,
    frozen: view.frozen,
    order_by: view.order as RerunFilters["order_by"], // the server says what an address asks in vain
    limit: LIMIT,
    offset: view.offset,
  };
}

/** Whether only a part of all reruns is asked for. */
export function isFiltered({ state, text, dag, createdBy, since, until, frozen }: RecordsView): boolean {
  return [state, text, dag, createdBy, since, until, frozen].some((value) => value !== undefined);
}
