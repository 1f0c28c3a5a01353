/** Dates as Airflow's pages show them: in the person's time zone, `2026-01-05 01:00:00`. */

const PARTS = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
} as const;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(timeZone: string): Intl.DateTimeFormat {
  let found = formats.get(timeZone);
  if (found === undefined) {
    found = new Intl.DateTimeFormat("en-CA", { ...PARTS, timeZone });
    formats.set(timeZone, found);
  }
  return found;
}

/** A moment of the API in a time zone. */
export function shownDate(iso: string, timeZone: string): string {
  const moment = new Date(iso);
  if (Number.isNaN(moment.valueOf())) {
    return iso;
  }
  const parts = Object.fromEntries(
    format(timeZone)
      .formatToParts(moment)
      .map((part) => [part.type, part.value]),
  );
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}`;
}

/** The same to the millisecond, where the order of two moments matters. */
export function preciseDate(iso: string, timeZone: string): string {
  const part = new Date(iso).getUTCMilliseconds();
  return Number.isNaN(part) ? iso : `${shownDate(iso, timeZone)}.${String(part).padStart(3, "0")}`;
}

/** What a person typed into a date field (`2026-01-05T01:00`), a moment in their time zone, as ISO 8601 in UTC. */
export function momentOf(typed: string, timeZone: string): string | undefined {
  const guess = new Date(`${typed}Z`);
  if (typed === "" || Number.isNaN(guess.valueOf())) {
    return undefined;
  }
  // The zone's offset at a moment tells how far its clock is from UTC; twice, because the first guess may lie on the
  // other side of a change of the clocks.
  let moment = guess;
  for (let round = 0; round < 2; round += 1) {
    const shown = new Date(`${shownDate(moment.toISOString(), timeZone).replace(" ", "T")}Z`);
    moment = new Date(moment.valueOf() + guess.valueOf() - shown.valueOf());
  }
  return moment.toISOString();
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
