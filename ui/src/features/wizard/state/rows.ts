/** The rows of the list of downstream runs. */

import type { LinkKind, PlanRun, RunStatus } from "../../../api/types";
import { matching } from "./filter";
import { grouped } from "../../../domain/grouped";
import type { PlanIndex } from "./plan";

export type Grouping = "none" | "dag" | "level";

/** A run, or a group of runs. */
export interface ListRow {
  id: string;
  run?: PlanRun;
  /** The Dag or the level that a group's runs share. */
  group?: string;
  subRows?: ListRow[];
  dagId: string;
  level: number;
  kinds: LinkKind[];
}

interface Filters {
  search: string;
  status: RunStatus | "";
  grouping: Grouping;
}

export function rowsOf(index: PlanIndex, keys: readonly string[], { search, status, grouping }: Filters): ListRow[] {
  const found = search.trim() === "" ? keys : matching(index, keys, search);
  const rows = found.flatMap((key) => rowOf(index, key)).filter(({ run }) => status === "" || run?.status === status);
  if (grouping === "none") {
    return rows;
  }
  const groups = grouped(rows, (row) => (grouping === "dag" ? row.dagId : String(row.level)));
  return Array.from(groups, ([group, subRows]) => ({
    id: `${grouping} ${group}`,
    group,
    subRows,
    dagId: group,
    level: subRows[0]?.level ?? 0,
    kinds: [],
  })).sort((one, other) => (grouping === "level" ? one.level - other.level : 0));
}

function rowOf(index: PlanIndex, key: string): ListRow[] {
  const run = index.runs.get(key);
  const kinds = [...new Set(index.linksTo.get(key)?.map((link) => link.kind))];
  return run === undefined ? [] : [{ id: key, run, dagId: run.dag_id, level: index.level.get(key) ?? 0, kinds }];
}
