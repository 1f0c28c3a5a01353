import { useEffect } from "react";

import { host } from "../host/Host";
import { useWords } from "../i18n/words";

/** Says in the browser's title what is shown, before the name of this application. */
export function useTitle(text: string): void {
  const { t } = useWords();
  const title = text === t("title") ? text : `${text} - ${t("title")}`;
  useEffect(() => host().setTitle(title), [title]);
}
