/** What stays in this browser from one visit to the next. Where nothing can be stored, nothing stays. */

const PREFIX = "rerun-downstream:";

/** What is kept in a place; undefined: nothing is. */
export function kept(place: string): string | undefined {
  try {
    return localStorage.getItem(PREFIX + place) || undefined;
  } catch {
    return undefined; // forbidden
  }
}

/** Keeps a text in a place; an empty one: nothing any more. */
export function keep(place: string, text: string): void {
  try {
    if (text === "") {
      localStorage.removeItem(PREFIX + place);
    } else {
      localStorage.setItem(PREFIX + place, text);
    }
  } catch {
    // Full, or forbidden.
  }
}

/**
 * The address of a list with the filters that are kept of it; undefined where it has its own, or none are kept.
 * `written` is an address with no more than what the page understands.
 */
export function keptAddress(place: string, search: string, written: (search: string) => string): string | undefined {
  const stored = kept(place);
  return stored === undefined || written(search) !== "" ? undefined : written(stored) || undefined;
}
