/** A rerun as a page knows it, kept up to date by what the server says has changed. */

import type { Changes, Member, Rerun, RerunEvent } from "./types";

export interface Followed {
  /** What the next question is asked with. */
  cursor: string;
  rerun: Rerun;
  /** In the order of their turns. */
  members: Member[];
  events: RerunEvent[];
  /** Whether all of it has been there once; until then there are some members and some lines. */
  complete: boolean;
}

type Key = string | number | boolean;

/** Depth, ready time with unknown ones last, run. The server's database may order texts in another way: nobody sees it. */
function turn({ depth, run_after, dag_id, run_id, id }: Member): Key[] {
  return [depth, run_after === null, Date.parse(run_after ?? "") || 0, dag_id, run_id ?? "", id];
}

function compared(mine: Key[], theirs: Key[]): number {
  const at = mine.findIndex((key, index) => key !== theirs[index]);
  return at < 0 ? 0 : (mine[at] ?? 0) < (theirs[at] ?? 0) ? -1 : 1;
}

function inTurn(members: readonly Member[]): Member[] {
  const keyed = members.map((member) => ({ member, key: turn(member) }));
  return keyed.sort((one, other) => compared(one.key, other.key)).map(({ member }) => member);
}

function merged(known: readonly Member[], changed: readonly Member[]): Member[] {
  const news = new Map(changed.map((member) => [member.id, member]));
  const kept = known.map((member) => {
    const found = news.get(member.id);
    news.delete(member.id);
    return found ?? member;
  });
  return [...kept, ...news.values()];
}

/** What is known after an answer, the members in any order. */
function after(known: Followed | undefined, answer: Changes): Followed {
  const base = answer.whole ? undefined : known;
  const rerun = answer.rerun ?? base?.rerun;
  if (rerun === undefined) {
    throw new Error("An answer that begins without the rerun");
  }
  const events = base?.events ?? [];
  const members = answer.members.length === 0 ? (base?.members ?? []) : merged(base?.members ?? [], answer.members);
  return {
    cursor: answer.cursor,
    rerun,
    members,
    events: answer.events.length === 0 ? events : [...events, ...answer.events],
    complete: (base?.complete ?? false) || !answer.more,
  };
}

/**
 * Look until there is no more. `some` is told what is known of a rerun that has never been there as a whole; a look at
 * one that has been is told when it is done, so that nobody sees half of it.
 */
export async function look(
  known: Followed | undefined,
  ask: (since: string | undefined) => Promise<Changes>,
  some: (found: Followed) => void,
): Promise<Followed> {
  for (let found = known; ;) {
    const answer = await ask(found?.cursor);
    if (found?.complete && answer.cursor === found.cursor && !answer.whole) {
      return known?.cursor === found.cursor ? known : found;
    }
    found = after(found, answer);
    if (!answer.more) {
      return found.members === known?.members ? found : { ...found, members: inTurn(found.members) };
    }
    if (!known?.complete) {
      some(found);
    }
  }
}
