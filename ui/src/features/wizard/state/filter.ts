/** Finding runs in a plan by what a person types. */

import type { PlanIndex } from "./plan";

/** The keys of the runs whose Dag, by id or name, id, date, note or partition has every word of a text; none for no text. */
export function matching(index: PlanIndex, keys: readonly string[], text: string): string[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    return [];
  }
  return keys.filter((key) => {
    const run = index.runs.get(key);
    const all = [
      run?.dag_id,
      run?.dag_display_name,
      run?.note,
      run?.run_id,
      run?.run_after,
      run?.logical_date,
      run?.partition_key,
    ]
      .join(" ")
      .toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
