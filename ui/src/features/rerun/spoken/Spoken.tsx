import { VisuallyHidden } from "@chakra-ui/react";
import { useEffect, useRef, useState } from "react";

import type { Member, Rerun } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { useNames } from "../../../ui/names";
import { heardOf, PAUSE, paceOf } from "./heard";

interface SpokenProps {
  rerun: Rerun;
  members: readonly Member[];
}

/** Tells screen readers how far the rerun is: a failure at once, a new state soon, progress now and then. */
export function Spoken({ rerun, members }: SpokenProps) {
  const heard = heardOf(rerun);
  const sentences = useSentences(rerun, members);
  const told = useRef({ heard, at: 0 });
  const [said, setSaid] = useState({ polite: "", urgent: "" });
  const pace = useRef(sentences);
  useEffect(() => {
    pace.current = sentences;
  });
  const { state, done, total, failed } = heard;
  useEffect(() => {
    const now = { state, done, total, failed };
    const how = paceOf(told.current.heard, now);
    if (how === null) {
      return undefined;
    }
    const wait = how === "later" ? Math.max(0, told.current.at + PAUSE - Date.now()) : 0;
    const timer = setTimeout(() => {
      const text = pace.current(told.current.heard.state !== state, failed > told.current.heard.failed);
      told.current = { heard: now, at: Date.now() };
      setSaid(how === "urgent" ? { polite: "", urgent: text } : { polite: text, urgent: "" });
    }, wait);
    return () => clearTimeout(timer);
  }, [state, done, total, failed]);
  return (
    <VisuallyHidden>
      <div aria-live="polite" data-testid="spoken">
        {said.polite}
      </div>
      <div role="alert" aria-live="assertive" data-testid="spoken-failure">
        {said.urgent}
      </div>
    </VisuallyHidden>
  );
}

/** What is said: of a new failure by name, of a new state, and how far the rerun is. */
function useSentences({ state, counts }: Rerun, members: readonly Member[]) {
  const { t, word } = useWords();
  const { memberName } = useNames();
  const { done, total } = heardOf({ state, counts });
  return (moved: boolean, failed: boolean): string => {
    const last = members.filter((member) => member.state === "failed").sort(byEnd)[0];
    const name = last && `${last.dag_id} ${memberName(last)}`;
    return [
      failed && t("record:spoken.failed", { count: counts.failed, name }),
      moved && t("record:spoken.state", { state: word("rerunState", state) }),
      t("record:spoken.progress", { done, total }),
    ]
      .filter(Boolean)
      .join(" ");
  };
}

function byEnd(one: Member, other: Member): number {
  return (other.ended_at ?? "").localeCompare(one.ended_at ?? "");
}
