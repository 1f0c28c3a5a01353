import { expect, it } from "vitest";

import { memberSentences, rerunSentences, titleOf } from "./asks";
import { memberOf, NOBODY, rerunOf } from "../../../testing/samples";

const counts = { ...NOBODY, running: 2, failed: 1, pending: 3 };
const keys = (sentences: { key: string }[]) => sentences.map(({ key }) => key);

it("says of the runs on their way what the rerun's settings say", () => {
  const stops = rerunOf({ counts });
  const leaves = rerunOf({ counts, settings: { ...stops.settings, stop_running_on_terminate: false } });
  expect(keys(rerunSentences(stops, "terminate"))).toContain("terminate.stop");
  expect(keys(rerunSentences(leaves, "terminate"))).toContain("terminate.leave");
});

it("tells resuming a paused rerun from resuming a failed one", () => {
  expect(keys(rerunSentences(rerunOf({ counts, state: "paused" }), "resume"))).toEqual([
    "resume.paused",
    "resume.stayFailed",
  ]);
  expect(keys(rerunSentences(rerunOf({ counts, state: "failed" }), "resume"))).toEqual(["resume.failed"]);
});

it("counts nothing where there is nothing", () => {
  expect(keys(rerunSentences(rerunOf({ counts: NOBODY }), "pause"))).toEqual(["pause.what"]);
});

it("says that a retry waits while the rerun is paused", () => {
  expect(keys(memberSentences(rerunOf({ state: "paused" }), "retry"))).toContain("retry.paused");
});

it("names the one run in the title where it is only one", () => {
  const rerun = rerunOf({ counts: { ...counts, frozen: 2 } });
  expect(titleOf(rerun, "release", memberOf(1, "orders"))).toEqual({ key: "release.titleOne" });
  expect(titleOf(rerun, "release", undefined)).toEqual({ key: "release.title", count: 2 });
  expect(titleOf(rerun, "pause", undefined)).toEqual({ key: "pause.title" });
});
