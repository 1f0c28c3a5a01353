import { describe, expect, it } from "vitest";

import { fieldValue, momentOf, preciseDate, secondsBetween, shownDate, shownDuration } from "./dates";

const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"];
/** Every seven hours and eleven minutes of a year: each zone's two changes of the clocks are among them. */
const MOMENTS = Array.from({ length: 1220 }, (_, step) => new Date(Date.UTC(2026, 0, 1) + step * 431 * 60_000));

describe.each(ZONES)("in %s", (zone) => {
  it("reads a date as it shows it", () => {
    const wrong = MOMENTS.filter((moment) => {
      const typed = fieldValue(moment.toISOString(), zone);
      const read = momentOf(typed, zone);
      // An hour that the clocks show twice may be read as either.
      return read === undefined || fieldValue(read, zone) !== typed;
    });
    expect(wrong).toEqual([]);
  });
});

it("shows a moment in the time zone asked for", () => {
  expect(shownDate("2026-07-01T22:30:05Z", "Europe/Berlin")).toBe("2026-07-02 00:30:05");
  expect(shownDate("2026-01-01T22:30:05Z", "America/New_York")).toBe("2026-01-01 17:30:05");
});

it("shows milliseconds where they matter", () => {
  expect(preciseDate("2026-07-01T22:30:05.041999Z", "Europe/Berlin")).toBe("2026-07-02 00:30:05.041");
  expect(preciseDate("2026-07-01T22:30:05Z", "Asia/Kolkata")).toBe("2026-07-02 04:00:05.000");
});

it("shows what isn't a date as it came", () => {
  expect(shownDate("soon", "UTC")).toBe("soon");
  expect(preciseDate("soon", "UTC")).toBe("soon");
});

it("takes the first of an hour that the clocks show twice, and moves one on that they leave out", () => {
  expect(momentOf("2026-10-25T02:30", "Europe/Berlin")).toBe("2026-10-25T00:30:00.000Z");
  expect(momentOf("2026-03-29T02:30", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
});

it("reads nothing where nothing was typed", () => {
  expect(momentOf("", "UTC")).toBeUndefined();
  expect(momentOf("2026-13-40T00:00", "UTC")).toBeUndefined();
  expect(fieldValue(undefined, "UTC")).toBe("");
});

it("counts to the end, or to now while there is none", () => {
  const now = Date.parse("2026-01-05T09:01:40Z");
  expect(secondsBetween("2026-01-05T09:00:00Z", "2026-01-05T09:00:30Z", now)).toBe(30);
  expect(secondsBetween("2026-01-05T09:00:00Z", null, now)).toBe(100);
  expect(secondsBetween("2026-01-05T09:05:00Z", null, now)).toBe(0); // the server's clock is ahead
});

it.each([
  [0, "00:00:00"],
  [65.4, "00:01:05"],
  [3599.6, "01:00:00"],
  [90_061, "1d 01:01:01"],
])("shows %d seconds as %s", (seconds, shown) => {
  expect(shownDuration(seconds)).toBe(shown);
});
