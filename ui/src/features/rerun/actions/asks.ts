/** What an action will do, in the sentences of a dialog. */

import type { ParseKeys } from "i18next";

import type { PlainAction } from "../../../api/reruns";
import type { Member, MemberAction, Rerun } from "../../../api/types";

type AskKey = ParseKeys<"record"> extends infer Key ? (Key extends `ask.${infer Rest}` ? Rest : never) : never;

/** A sentence of the catalogue `record:ask`; where it counts something, only if there is something. */
export interface Sentence {
  key: AskKey;
  count?: number;
}

function said(sentences: readonly Sentence[]): Sentence[] {
  return sentences.filter(({ count }) => count !== 0);
}

/** What comes of an action on a rerun that stands as it does now. */
export function rerunSentences(rerun: Rerun, action: PlainAction): Sentence[] {
  const { running, stopping, pending, failed, frozen } = rerun.counts;
  switch (action) {
    case "pause":
      return said([
        { key: "pause.what" },
        { key: "pause.flight", count: running },
        { key: "pause.frozen", count: frozen },
      ]);
    case "resume":
      return rerun.state === "failed"
        ? said([{ key: "resume.failed", count: failed }])
        : said([{ key: "resume.paused" }, { key: "resume.stayFailed", count: failed }]);
    case "terminate":
      return said([
        { key: "terminate.what" },
        { key: rerun.settings.stop_running_on_terminate ? "terminate.stop" : "terminate.leave", count: running },
        { key: "terminate.pending", count: pending + stopping },
        { key: "terminate.frozen", count: frozen },
        { key: "terminate.kept" },
      ]);
    case "release":
      return [{ key: "release.what", count: frozen }];
  }
}

/** What comes of an action on one member. */
export function memberSentences(rerun: Rerun, action: MemberAction): Sentence[] {
  switch (action) {
    case "retry":
      return rerun.state === "paused" ? [{ key: "retry.what" }, { key: "retry.paused" }] : [{ key: "retry.what" }];
    case "skip":
      return [{ key: "skip.what" }];
    case "release":
      return [{ key: "release.what", count: 1 }];
  }
}

/** The heading of the dialog. */
export function titleOf(rerun: Rerun, action: PlainAction | MemberAction, member: Member | undefined): Sentence {
  if (action !== "release") {
    return { key: `${action}.title` };
  }
  return member ? { key: "release.titleOne" } : { key: "release.title", count: rerun.counts.frozen };
}
