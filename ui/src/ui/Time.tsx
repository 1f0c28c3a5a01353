import { usePreferences } from "../host/preferences";
import { shownDate } from "../domain/dates";
import { useWords } from "../i18n/words";

/** A moment in the person's time zone; a dash for none. */
export function Time({ value }: { value: string | null | undefined }) {
  const { timeZone } = usePreferences();
  const { t } = useWords();
  if (!value) {
    return <>{t("none")}</>;
  }
  return (
    <time dateTime={value} title={`${shownDate(value, timeZone)} ${timeZone}`} style={{ whiteSpace: "nowrap" }}>
      {shownDate(value, timeZone)}
    </time>
  );
}
