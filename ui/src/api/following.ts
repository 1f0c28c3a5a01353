/** What of a large rerun has to be asked for again, so that following it costs what happens and not what it has. */

import type { Member, RerunEvent } from "./types";

/** The members as they were last seen, with how much of the record had been read, and when all of them were asked for. */
export interface Followed {
  members: Member[];
  lines: number;
  whole: number;
}

/** Lines after which a member may have another run, and with it another place. */
const REPLACED = new Set(["member_adopted", "member_held"]);
const SATISFIED = new Set(["succeeded", "skipped"]);
const IN_FLIGHT = new Set(["running", "stopping"]);

/**
 * The members that may have changed: those of new lines of the record, and those in flight, whose runs Airflow moves.
 * Undefined: all may have, or asking for all costs no more. Some things happen without a line, such as a new reason to
 * wait, so that `wait` milliseconds after all were asked for, all are asked for again.
 */
export function changedSince(
  known: Followed,
  events: readonly RerunEvent[],
  { now, wait, most }: { now: number; wait: number; most: number },
): number[] | undefined {
  const news = events.slice(known.lines);
  const all =
    known.members.length <= most ||
    now - known.whole >= wait ||
    events.length < known.lines ||
    news.some(({ member_id, action }) => member_id === null || REPLACED.has(action));
  if (all) {
    return undefined;
  }
  const inFlight = known.members.filter(({ state }) => IN_FLIGHT.has(state)).map(({ id }) => id);
  const ids = new Set([...inFlight, ...news.flatMap(({ member_id }) => member_id ?? [])]);
  return ids.size > most ? undefined : [...ids];
}

const nameOf = (run: { dag_id: string; run_id: string | null }) => JSON.stringify([run.dag_id, run.run_id]);

/** The members with the fresh ones in their places. Undefined: it can't be told without asking for all. */
export function merged(known: readonly Member[], fresh: readonly Member[]): Member[] | undefined {
  const news = new Map(fresh.map((member) => [member.id, member]));
  const before = known.filter(({ id }) => news.has(id));
  // A run that is waited for again is named by members that haven't been asked for.
  const undone = before.some(({ id, state }) => SATISFIED.has(state) && !SATISFIED.has(news.get(id)?.state ?? ""));
  if (before.length < news.size || undone) {
    return undefined;
  }
  const done = new Set(fresh.filter(({ state }) => SATISFIED.has(state)).map(nameOf));
  return known.map((member) => {
    const found = news.get(member.id) ?? member;
    const waiting = found.waiting_on.filter((run) => !done.has(nameOf(run)));
    return waiting.length === found.waiting_on.length ? found : { ...found, waiting_on: waiting };
  });
}
