import { usePreferences } from "../../../host/Host";
import type { Member } from "../../../api/types";
import { shownDate, shownDuration } from "../../../domain/dates";
import { useWords } from "../../../i18n/words";
import type { Span, TimelineRow } from "./timeline";
import { useNames } from "../../../ui/names";
import { useLook } from "../member/look";

/** So many runs are named that one waited for. */
const NAMED = 5;

/** A row of the timeline in words: where the run stands, how long it waited and for what, when it ran. */
export function useTimelineText(member: Member, row: TimelineRow, before: readonly Member[], now: number): string {
  const { t, lookWord } = useWords();
  const look = useLook();
  const { memberName } = useNames();
  const { timeZone } = usePreferences();
  const clock = (at: number) => shownDate(new Date(at).toISOString(), timeZone);
  const long = ({ start, end }: Span) => shownDuration(Math.max(0, (end ?? now) - start) / 1000);
  const names = waitedFor(member, row, before);
  const reasons = names.length > 0 ? ` ${t("record:timeline.textFor", { names: shortened(names) })}` : "";
  const waits = row.waits.map((span, index) => {
    const kind = member.role === "frozen" ? "Frozen" : "Wait";
    const wait =
      span.end === null
        ? t(`record:timeline.since${kind}`, { from: clock(span.start) })
        : t(`record:timeline.was${kind}`, { duration: long(span) });
    return index === row.waits.length - 1 ? wait + reasons : wait;
  });
  const runs = row.runs.map((span) =>
    span.end === null
      ? t(look(member) === "queued" ? "record:timeline.textQueued" : "record:timeline.textRuns", {
          from: clock(span.start),
          duration: long(span),
        })
      : t("record:timeline.textRan", { from: clock(span.start), to: clock(span.end), duration: long(span) }),
  );
  const what = `${member.dag_id} ${memberName(member)}: ${lookWord(look(member))}`;
  return [what, ...waits, ...runs].join("; ");
}

/** What it waits for, as the server says; of one that has started, those runs it reads from that ended before. */
function waitedFor(member: Member, row: TimelineRow, before: readonly Member[]): string[] {
  if (member.waiting_on.length > 0) {
    return member.waiting_on.map(({ dag_id }) => dag_id);
  }
  const started = row.runs.at(-1)?.start;
  return started === undefined
    ? []
    : before.filter(({ ended_at }) => ended_at !== null && Date.parse(ended_at) <= started).map(({ dag_id }) => dag_id);
}

function shortened(names: readonly string[]): string {
  const all = [...new Set(names)];
  return all.slice(0, NAMED).join(", ") + (all.length > NAMED ? ` +${all.length - NAMED}` : "");
}
