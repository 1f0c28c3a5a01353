import { Alert } from "@chakra-ui/react";

import { useSilence } from "../../api/airflow";
import { shownDate } from "../../domain/dates";
import { usePreferences } from "../../host/Host";
import { useWords } from "../../i18n/words";

/** That nothing moves, because no scheduler is heard; nothing while one is. `watching`: whether anything could move. */
export function SchedulerNotice({ watching = true }: { watching?: boolean }) {
  const { t } = useWords();
  const { timeZone } = usePreferences();
  const since = useSilence(watching);
  if (since === undefined) {
    return null;
  }
  return (
    <Alert.Root status="error" size="sm" data-testid="scheduler-silent">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>
          {since === null
            ? t("health.noScheduler")
            : t("health.schedulerSilent", { time: shownDate(since, timeZone), zone: timeZone })}
        </Alert.Title>
      </Alert.Content>
    </Alert.Root>
  );
}
