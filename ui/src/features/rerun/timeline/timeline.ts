/** When each run of a rerun waited and ran, and where that stands on a scale of time. */

import type { Member, MemberState, RerunEvent } from "../../../api/types";
import { shownDate } from "../../../domain/dates";

/** A stretch of time in milliseconds; without an end it goes on. */
export interface Span {
  start: number;
  end: number | null;
}

/** A stretch in which a run ran, and what came of it. */
export interface Attempt extends Span {
  state: MemberState;
}

export interface TimelineRow {
  /** From the beginning of the rerun until the run was dispatched, and from a retry on until it is again. */
  waits: Span[];
  runs: Attempt[];
}

const OUTCOMES: Record<string, MemberState> = {
  member_succeeded: "succeeded",
  member_failed: "failed",
  member_terminated: "terminated",
};

/** What the record's events say of attempts: each from its dispatch to what came of it. */
export function attemptsOf(events: readonly RerunEvent[]): Map<number, Attempt[]> {
  const attempts = new Map<number, Attempt[]>();
  for (const { member_id, action, at } of events) {
    if (member_id === null) {
      continue;
    }
    const mine = attempts.get(member_id) ?? [];
    const last = mine.at(-1);
    const outcome = OUTCOMES[action];
    if (action === "member_dispatched") {
      attempts.set(member_id, [...mine, { start: Date.parse(at), end: null, state: "running" }]);
    } else if (last !== undefined && action === "member_running") {
      last.end = null; // repaired by hand, it runs again
    } else if (last?.end === null && outcome !== undefined) {
      last.end = Date.parse(at);
      last.state = outcome;
    }
  }
  return attempts;
}

/** The event of a dispatch may be written a little later than the member's own time. */
const SAME = 2000;

/** A member's row. `begin`: when the rerun began. */
export function rowOf(
  member: Pick<Member, "state" | "dispatched_at" | "ended_at">,
  begin: number,
  attempts: readonly Attempt[] = [],
): TimelineRow {
  const dispatched = member.dispatched_at === null ? null : Date.parse(member.dispatched_at);
  const ended = member.ended_at === null ? null : Date.parse(member.ended_at);
  const runs = attempts.map((each) => (each.end === null ? { ...each, end: ended, state: member.state } : each));
  const last = runs.at(-1);
  if (dispatched !== null && (last === undefined || dispatched - last.start > SAME)) {
    runs.push({ start: dispatched, end: ended, state: member.state });
  }
  const until = runs[0]?.start ?? ended;
  const waits: Span[] = until !== null && until <= begin ? [] : [{ start: begin, end: until }];
  const end = runs.at(-1)?.end ?? null;
  if (member.state === "pending" && end !== null) {
    waits.push({ start: end, end: null });
  }
  return { waits, runs };
}

/** By the wave in which runs can start, or by when they did. */
export type TimelineOrder = "wave" | "time";

/** Members in their turns, or the first that was dispatched first and those that weren't last. */
export function ordered(inTurn: readonly Member[], order: TimelineOrder): readonly Member[] {
  const start = ({ dispatched_at }: Member) => (dispatched_at === null ? Infinity : Date.parse(dispatched_at));
  const later = (one: Member, other: Member) => (start(one) === start(other) ? 0 : start(one) - start(other));
  return order === "wave" ? inTurn : [...inTurn].sort(later);
}

export interface Scale {
  from: number;
  to: number;
}

/** The time that a record spans: at least a second, and a little more than has passed where it goes on. */
export function scaleOf(begin: number, end: number | null, now: number): Scale {
  const to = end ?? begin + (Math.max(now, begin) - begin) * 1.05;
  return { from: begin, to: Math.max(to, begin + 1000) };
}

/** Where a span lies on a scale, in percent of its width. */
export function placeOf(span: Span, scale: Scale, now: number): { left: number; width: number } {
  const percent = (at: number) => Math.min(100, Math.max(0, ((at - scale.from) / (scale.to - scale.from)) * 100));
  const left = percent(span.start);
  return { left, width: percent(span.end ?? now) - left };
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28].map((count) => count * DAY),
];

export interface Tick {
  at: number;
  /** The time of day; the day where that is what changes. */
  label: string;
}

/** Round moments on a scale, at most so many, on the clock of a time zone. */
export function ticksOf({ from, to }: Scale, timeZone: string, atMost = 8): Tick[] {
  const step = STEPS.find((each) => (to - from) / each <= atMost) ?? Math.ceil((to - from) / atMost / DAY) * DAY;
  const shift = offsetOf(from, timeZone);
  const first = Math.ceil((from + shift) / step) * step - shift;
  const count = Math.max(0, Math.floor((to - first) / step) + 1);
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * step;
    const shown = shownDate(new Date(at).toISOString(), timeZone);
    return { at, label: step >= DAY ? shown.slice(0, 10) : shown.slice(11, step >= MINUTE ? 16 : 19) };
  });
}

/** How far the clock of a time zone is ahead of UTC at a moment. */
function offsetOf(at: number, timeZone: string): number {
  const whole = Math.floor(at / SECOND) * SECOND;
  return Date.parse(`${shownDate(new Date(whole).toISOString(), timeZone).replace(" ", "T")}Z`) - whole;
}
