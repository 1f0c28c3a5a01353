import { ChakraProvider } from "@chakra-ui/react";
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import "../../../i18n";
import { system } from "../../../ui/theme/system";
import type { Counts, RerunState } from "../../../api/types";
import { memberOf, NOBODY, rerunOf } from "../../../testing/samples";
import { heardOf, PAUSE, paceOf } from "./heard";
import { Spoken } from "./Spoken";

const of = (state: RerunState, counts: Partial<Counts>) => rerunOf({ state, counts: { ...NOBODY, ...counts } });
const start = of("running", { pending: 4 });
const broken = memberOf(3, "clean", { state: "failed", ended_at: "2026-01-05T10:00:00Z" });

describe("how soon something is heard", () => {
  it.each([
    ["nothing new", start, null],
    ["progress", of("running", { pending: 3, succeeded: 1 }), "later"],
    ["a pause", of("paused", { pending: 4 }), "now"],
    ["the end", of("succeeded", { succeeded: 4 }), "now"],
    ["a failed run", of("running", { pending: 3, failed: 1 }), "urgent"],
    ["a failed rerun", of("failed", { pending: 4 }), "urgent"],
  ] as const)("%s", (_, now, pace) => {
    expect(paceOf(heardOf(start), heardOf(now))).toBe(pace);
  });

  it("is no failure that it has been repaired", () => {
    expect(paceOf(heardOf(of("running", { failed: 1 })), heardOf(of("running", { running: 1 })))).toBeNull();
  });
});

describe("the record", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const texts = () => [screen.getByTestId("spoken").textContent, screen.getByTestId("spoken-failure").textContent];
  const show = () => {
    const page = (rerun: typeof start) => (
      <ChakraProvider value={system}>
        <Spoken rerun={rerun} members={rerun.counts.failed ? [broken] : []} />
      </ChakraProvider>
    );
    const shown = render(page(start));
    return (rerun: typeof start, later = 0) => {
      shown.rerender(page(rerun));
      act(() => {
        vi.advanceTimersByTime(later);
      });
    };
  };

  it("says nothing when it is opened", () => {
    show();
    act(() => {
      vi.advanceTimersByTime(2 * PAUSE);
    });
    expect(texts()).toEqual(["", ""]);
  });

  it("tells progress now and then, and then the latest", () => {
    const then = show();
    then(of("running", { pending: 3, succeeded: 1 }), 1);
    expect(texts()[0]).toBe("1 of 4 runs done.");
    then(of("running", { pending: 2, succeeded: 2 }), PAUSE / 2);
    expect(texts()[0]).toBe("1 of 4 runs done.");
    then(of("running", { pending: 1, succeeded: 3 }), PAUSE / 2);
    expect(texts()[0]).toBe("3 of 4 runs done.");
  });

  it("interrupts for a failure, and names the run", () => {
    const then = show();
    then(of("running", { pending: 3, failed: 1 }), 1);
    expect(texts()).toEqual(["", "1 run has failed, the last one: clean r1. 0 of 4 runs done."]);
  });

  it("says the end at once", () => {
    const then = show();
    then(of("running", { pending: 3, succeeded: 1 }), 1);
    then(of("succeeded", { succeeded: 4 }), 1);
    expect(texts()).toEqual(["The rerun's state is now succeeded. 4 of 4 runs done.", ""]);
  });
});
