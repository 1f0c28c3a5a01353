/** The filters of the list of Dag runs, as they stand in the page's address. */

import { parameters, query } from "../../host/parameters";
import type { DagRunFilters } from "../../api/types";

export interface Filters {
  /** The Dag from whose page the person came; empty: any. */
  dagId: string;
  /** A part of a Dag's id. */
  dag: string;
  /** A part of a run's id. */
  run: string;
  /** A tag of the Dag. */
  tag: string;
  /** A part of the owners of the Dag. */
  owner: string;
  state: string;
  runType: string;
  /** ISO 8601; `any`: the person wants no limit; absent: the window of sources. */
  from: string | undefined;
  to: string | undefined;
  sources: boolean;
  order: string;
  offset: number;
}

export const LIMIT = 50;
export const ANY = "any";
export const ORDER = "-run_after";
/** States in the order of their letters begin with `failed`. */
export const FAILED_FIRST = "state";

/** No filter at all, not even the window of sources. */
export const NO_FILTER = {
  dagId: "",
  dag: "",
  run: "",
  tag: "",
  owner: "",
  state: "",
  runType: "",
  from: undefined,
  to: undefined,
  sources: false,
} as const;

export function readFilters(search: string): Filters {
  const found = parameters(search);
  return {
    dagId: found.get("dag_id") ?? "",
    dag: found.get("dag") ?? "",
    run: found.get("run") ?? "",
    tag: found.get("tag") ?? "",
    owner: found.get("owner") ?? "",
    state: found.get("state") ?? "",
    runType: found.get("run_type") ?? "",
    from: found.get("from"),
    to: found.get("to"),
    sources: found.get("sources") === "1",
    order: found.get("order") ?? ORDER,
    offset: Math.max(0, Number(found.get("offset") ?? 0) || 0),
  };
}

/** The query string of the page for these filters; what is as by default is left out. */
export function writeFilters(filters: Filters): string {
  return query({
    dag_id: filters.dagId,
    dag: filters.dag,
    run: filters.run,
    tag: filters.tag,
    owner: filters.owner,
    state: filters.state,
    run_type: filters.runType,
    from: filters.from,
    to: filters.to,
    sources: filters.sources ? "1" : undefined,
    order: filters.order === ORDER ? undefined : filters.order,
    offset: filters.offset || undefined,
  });
}

/** What of an address stays for the next visit: all but the page of the list. */
export function lastingPart(search: string): string {
  return writeFilters({ ...readFilters(search), offset: 0 });
}

/** Whether a person has narrowed the list. */
export function isFiltered({ to, sources, ...texts }: Filters): boolean {
  const { dagId, dag, run, tag, owner, state, runType } = texts;
  return [dagId, dag, run, tag, owner, state, runType].some((text) => text !== "") || to !== undefined || sources;
}

/** What is asked of the server. `since`: the beginning of the window of sources, null where there is none. */
export function askedOf(filters: Filters, since: string | null | undefined): DagRunFilters {
  const from = filters.from === ANY ? undefined : (filters.from ?? since ?? undefined);
  return {
    limit: LIMIT,
    offset: filters.offset,
    order_by: filters.order as DagRunFilters["order_by"], // the server says what an address asks in vain
    ...(filters.dagId && { dag_id: [filters.dagId] }),
    ...(filters.dag && { dag_id_pattern: filters.dag }),
    ...(filters.run && { run_id_pattern: filters.run }),
    ...(filters.tag && { tag: [filters.tag] }),
    ...(filters.owner && { owner_pattern: filters.owner }),
    ...(filters.state && { state: [filters.state] }),
    ...(filters.runType && { run_type: [filters.runType] }),
    ...(from && { run_after_gte: from }),
    ...(filters.to && { run_after_lte: filters.to }),
    ...(filters.sources && { can_be_source: true }),
  };
}
