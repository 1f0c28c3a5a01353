import { useCallback } from "react";

import { useWords } from "../../i18n/words";

/** Why a rerun stands where it does: a word of the server, or by whom it was paused or terminated. */
export function useRerunReason(): (reason: string | null) => string {
  const { t, word } = useWords();
  return useCallback(
    (reason) => {
      const [, what, name] = /^(paused|terminated) by (.+)$/s.exec(reason ?? "") ?? [];
      if (what === undefined) {
        return word("reason", reason);
      }
      return what === "paused" ? t("record:header.pausedBy", { name }) : t("record:header.terminatedBy", { name });
    },
    [t, word],
  );
}
