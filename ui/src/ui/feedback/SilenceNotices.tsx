import { Alert } from "@chakra-ui/react";

import { useSilence } from "../../api/airflow";
import { useConductorSilence } from "../../api/installation";
import { shownDate } from "../../domain/dates";
import { usePreferences } from "../../host/Host";
import { useWords } from "../../i18n/words";

/**
 * That nothing moves, because no scheduler is heard or no conductor looks at the reruns; nothing while both are there.
 * `watching`: whether anything could move.
 */
export function SilenceNotices({ watching = true }: { watching?: boolean }) {
  const { t } = useWords();
  const { timeZone: zone } = usePreferences();
  const scheduler = useSilence(watching);
  const conductor = useConductorSilence(watching);
  const at = (since: string) => ({ time: shownDate(since, zone), zone });
  return (
    <>
      {scheduler !== undefined && (
        <Silent
          of="scheduler"
          text={scheduler === null ? t("health.noScheduler") : t("health.schedulerSilent", at(scheduler))}
        />
      )}
      {conductor !== undefined && (
        <Silent
          of="conductor"
          text={conductor === null ? t("health.noConductor") : t("health.conductorSilent", at(conductor))}
        />
      )}
    </>
  );
}

function Silent({ of, text }: { of: string; text: string }) {
  return (
    <Alert.Root status="error" size="sm" data-testid={`${of}-silent`}>
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{text}</Alert.Title>
      </Alert.Content>
    </Alert.Root>
  );
}
