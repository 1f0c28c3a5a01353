/** Words of the catalogue, and those for the server's machine words. */

import { useMemo } from "react";
import { useTranslation } from "react-i18next";

type Group =
  | "advice"
  | "airflowState"
  | "evidence"
  | "evidenceMeaning"
  | "freezeAction"
  | "linkKind"
  | "memberState"
  | "reason"
  | "rerunState"
  | "role"
  | "runType"
  | "status"
  | "warning";

/**
 * `t` gives the words of a namespace (`t("wizard:title")`); `word` the ones for a machine word of the server. A word
 * that this page doesn't know yet is shown as it came. Of a reason only the first word is one: an error's text may
 * follow it.
 */
export function useWords() {
  const { t, i18n } = useTranslation(["common", "runs", "wizard", "record"]);
  return useMemo(() => {
    const word = (group: Group, machineWord: string | null | undefined): string => {
      if (!machineWord) {
        return "";
      }
      const [, head = "", tail = ""] = /^([a-z_]+)(.*)$/s.exec(machineWord) ?? [];
      const key = `${group}.${head}`;
      const text: string = t(key as never);
      return head !== "" && i18n.exists(key) ? text + tail : machineWord;
    };
    return { t, word };
  }, [t, i18n]);
}
