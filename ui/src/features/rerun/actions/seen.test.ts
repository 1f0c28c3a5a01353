import { expect, it } from "vitest";

import { eventOf, memberOf, rerunOf } from "../../../testing/samples";
import { eventsSince, hasChanged, memberSeen, rerunSeen, seenNow } from "./seen";

const AT = "2026-01-05T09:00:00Z";
const member = memberOf(2, "finance", { state: "failed", attempt: 1 });
const first = eventOf(AT, "member_failed", { id: 10, member_id: 2 });
const rerun = rerunOf({ state: "failed" });

it("says what the person saw, and nothing of a record without a line", () => {
  const seen = seenNow(rerun, member, [first]);
  expect(memberSeen(seen)).toEqual({ attempt: 1, last_event: 10 });
  expect(rerunSeen(seen)).toEqual({ state: "failed", last_event: 10 });
  expect(memberSeen(seenNow(rerun, member, []))).toEqual({ attempt: 1, last_event: undefined });
});

it.each([
  [eventOf(AT, "retry", { id: 11, member_id: 2 }), true, false],
  [eventOf(AT, "retry", { id: 11, member_id: 3 }), false, false],
  [eventOf(AT, "resume", { id: 11 }), false, true],
  [eventOf(AT, "release", { id: 11 }), false, true],
  [eventOf(AT, "rerun_failed", { id: 11 }), false, true],
  [eventOf(AT, "notification_failed", { id: 11 }), false, false],
  [eventOf(AT, "retry", { id: 9, member_id: 2 }), false, false],
])("takes a newer line about the same for a change: %o", (event, ofMember, ofRerun) => {
  const seen = seenNow(rerun, member, [first]);
  expect(hasChanged(seen, rerun, member, [first, event])).toBe(ofMember);
  expect(hasChanged(seen, rerun, undefined, [first, event])).toBe(ofRerun);
  expect(eventsSince(seen, member, [first, event])).toEqual(ofMember ? [event] : []);
});

it("notices another attempt and another state without any line", () => {
  const seen = seenNow(rerun, member, []);
  expect(hasChanged(seen, rerun, { ...member, attempt: 2 }, [])).toBe(true);
  expect(hasChanged(seen, { ...rerun, state: "paused" }, undefined, [])).toBe(true);
  expect(hasChanged(seen, { ...rerun, state: "paused" }, member, [])).toBe(false);
});
