import { Alert, Link } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router";

import { useReruns } from "../../../../api/reruns";
import { useRerunState } from "../../../../ui/StateBadge";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";

/** Why the run can't be a source, and the reruns in which it took part. */
export function SourceNotices() {
  const { t, word } = useWords();
  const { index } = useWizard();
  const source = index?.plan.source;
  return (
    <>
      {source?.can_be_source === false && (
        <Alert.Root status="error" size="sm" textStyle="sm" py={2} mt={2} data-testid="not-a-source">
          <Alert.Indicator />
          <Alert.Content>
            <Alert.Title>{t("wizard:notASource.title")}</Alert.Title>
            <Alert.Description>
              {t("wizard:notASource.detail", { reason: word("reason", source.source_reason) })}
            </Alert.Description>
          </Alert.Content>
        </Alert.Root>
      )}
      <EarlierReruns />
    </>
  );
}

const SHOWN = 3;

function EarlierReruns() {
  const { t } = useWords();
  const stateOf = useRerunState();
  const { source } = useWizard();
  const { data } = useReruns({ dag_id: source.dag_id, run_id: source.run_id, limit: SHOWN });
  if (data === undefined || data.reruns.length === 0) {
    return null;
  }
  return (
    <Alert.Root status="info" size="sm" textStyle="sm" mt={2} py={1.5} data-testid="earlier-reruns">
      <Alert.Indicator />
      <Alert.Description display="flex" gap={3} flexWrap="wrap">
        {t("wizard:earlier", { count: data.total_entries })}
        {data.reruns.map((rerun) => (
          <Link asChild key={rerun.id} color="inherit" textDecoration="underline">
            <RouterLink to={`/records/${rerun.id}`}>
              {t("wizard:earlierOne", { id: rerun.id, state: stateOf(rerun) })}
            </RouterLink>
          </Link>
        ))}
      </Alert.Description>
    </Alert.Root>
  );
}
