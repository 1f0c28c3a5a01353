import { useCallback } from "react";

import type { Cause } from "../../api/types";
import { shownMoment } from "../../domain/dates";
import { usePreferences } from "../../host/Host";
import { useWords } from "../../i18n/words";

/** Why a rerun or a member stands where it does, in the user's language; empty where there is nothing to say. */
export function useCause(): (cause: Cause | null) => string {
  const { t, word } = useWords();
  const { timeZone } = usePreferences();
  return useCallback(
    (cause) => {
      if (cause === null) {
        return "";
      }
      const name = cause.by ?? "";
      switch (cause.word) {
        case null:
          return cause.detail ?? "";
        case "paused_by_user":
          return t("record:header.pausedBy", { name });
        case "terminated_by_user":
          return t("record:header.terminatedBy", { name });
        default:
          return cause.detail === null
            ? word("reason", cause.word)
            : t("between", { first: word("reason", cause.word), second: shownMoment(cause.detail, timeZone) });
      }
    },
    [t, word, timeZone],
  );
}
