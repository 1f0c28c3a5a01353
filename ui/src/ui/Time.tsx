import { usePreferences } from "../host/Host";
import { preciseDate, shownDate } from "../domain/dates";
import { useWords } from "../i18n/words";

interface TimeProps {
  value: string | null | undefined;
  /** To the millisecond. */
  precise?: boolean;
}

/** A moment in the person's time zone; a dash for none. */
export function Time({ value, precise = false }: TimeProps) {
  const { timeZone } = usePreferences();
  const { t } = useWords();
  if (!value) {
    return <>{t("none")}</>;
  }
  const text = (precise ? preciseDate : shownDate)(value, timeZone);
  return (
    <time dateTime={value} title={`${text} ${timeZone}`} style={{ whiteSpace: "nowrap" }}>
      {text}
    </time>
  );
}
