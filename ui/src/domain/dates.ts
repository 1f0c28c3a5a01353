/** Dates as Airflow's pages show them: in the user's time zone, `2026-01-05 01:00:00`. */

import { fromDate, parseDateTime, toCalendarDateTime, toZoned } from "@internationalized/date";

/** A moment of the API in a time zone. */
export function shownDate(iso: string, timeZone: string): string {
  const moment = new Date(iso);
  if (Number.isNaN(moment.valueOf())) {
    return iso;
  }
  return toCalendarDateTime(fromDate(moment, timeZone)).toString().slice(0, 19).replace("T", " ");
}

const MOMENT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** A text of the API, which may be a moment. */
export function shownMoment(text: string, timeZone: string): string {
  return MOMENT.test(text) ? shownDate(text, timeZone) : text;
}

/** The same to the millisecond, where the order of two moments matters. */
export function preciseDate(iso: string, timeZone: string): string {
  const part = new Date(iso).getUTCMilliseconds();
  return Number.isNaN(part) ? iso : `${shownDate(iso, timeZone)}.${String(part).padStart(3, "0")}`;
}

/**
 * What a user typed into a date field (`2026-01-05T01:00`), a moment in their time zone, as ISO 8601 in UTC. An hour that
 * the clocks show twice is the first one; one that they leave out is moved on by as much.
 */
export function momentOf(typed: string, timeZone: string): string | undefined {
  try {
    return toZoned(parseDateTime(typed), timeZone).toAbsoluteString();
  } catch {
    return undefined; // nothing, or no date
  }
}

/** A moment of the API as a date field takes it. */
export function fieldValue(iso: string | undefined, timeZone: string): string {
  return iso === undefined ? "" : shownDate(iso, timeZone).replace(" ", "T").slice(0, 16);
}

/** Seconds between two moments; the second may be now. */
export function secondsBetween(start: string, end: string | null | undefined, now: number): number {
  return Math.max(0, ((end ? Date.parse(end) : now) - Date.parse(start)) / 1000);
}

/** A duration as Airflow shows it: `00:01:05`, with days before it where there are some. */
export function shownDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const days = Math.floor(whole / 86_400);
  const clock = `${two(Math.floor(whole / 3600) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return days > 0 ? `${days}d ${clock}` : clock;
}
