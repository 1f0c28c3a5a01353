import { useCallback } from "react";

import type { Cause } from "../../api/types";
import { useWords } from "../../i18n/words";

/** Why a rerun or a member stands where it does, in the user's language; empty where there is nothing to say. */
export function useCause(): (cause: Cause | null) => string {
  const { t, word } = useWords();
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
          return [word("reason", cause.word), cause.detail].filter(Boolean).join(": ");
      }
    },
    [t, word],
  );
}
