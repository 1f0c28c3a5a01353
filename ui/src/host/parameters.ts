/** What Airflow's tabs put into the address: the run, task or Dag that a person came from. */

export interface Entry {
  dagId?: string;
  runId?: string;
  taskId?: string;
  mapIndex?: number;
}

/**
 * Parameters of a query string, as Airflow 3.1 to 3.4 write it. Airflow 3.1 doesn't encode run ids, so a "+" is a
 * plus sign; placeholders that Airflow had nothing for stay literal and are left out.
 */
export function parameters(search: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const pair of search.replace(/^\?/, "").split("&")) {
    const at = pair.indexOf("=");
    const raw = at < 0 ? "" : pair.slice(at + 1);
    const value = decoded(raw);
    if (pair !== "" && !/^\{[A-Z_]+\}$/.test(value)) {
      found.set(decoded(at < 0 ? pair : pair.slice(0, at)), value);
    }
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A query string without its "?", in which a "+" can't be taken for a space. Values that are undefined are left out. */
export function query(values: Record<string, string | number | undefined>): string {
  return Object.entries(values)
    .filter((entry): entry is [string, string | number] => entry[1] !== undefined && entry[1] !== "")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
}

/** Where the person came from. */
export function entryOf(search: string): Entry {
  const found = parameters(search);
  const index = Number(found.get("map_index") ?? "");
  return {
    dagId: found.get("dag_id") || undefined,
    runId: found.get("run_id") || undefined,
    taskId: found.get("task_id") || undefined,
    mapIndex: found.get("map_index") && Number.isInteger(index) && index >= 0 ? index : undefined,
  };
}
