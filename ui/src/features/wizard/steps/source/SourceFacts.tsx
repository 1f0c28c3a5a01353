import { Box, HStack, Text } from "@chakra-ui/react";

import { AirflowLink, RunLink } from "../../../../ui/AirflowLink";
import { bothNames, NameAndId } from "../../../../ui/dagNames";
import { CUT_LINK } from "../../../../ui/table/cells";
import { StatusBadge } from "../../../../ui/StateBadge";
import { Time } from "../../../../ui/Time";
import { useNarrow } from "../../../../ui/useNarrow";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";

/** Which run's data was wrong. On a phone it is one line, which opens: the step itself stands below it. */
export function SourceFacts() {
  const { t } = useWords();
  const { source, index } = useWizard();
  const called = index?.plan.source.dag_display_name ?? source.dag_id;
  if (!useNarrow()) {
    return <Facts />;
  }
  return (
    <Box as="details" mt={-2} data-testid="source">
      <Text as="summary" truncate cursor="pointer" py={1}>
        {t("word.source")} <strong>{called}</strong> {source.run_id}
      </Text>
      <Facts />
    </Box>
  );
}

function Facts() {
  const { t, word } = useWords();
  const { source, index } = useWizard();
  const run = index?.plan.source;
  const called = run?.dag_display_name ?? source.dag_id;
  return (
    <HStack gap={3} flexWrap="wrap" mt={{ md: -2 }} mb={1} data-testid="source-facts">
      <Text color="fg.muted">{t("word.source")}</Text>
      <AirflowLink
        {...CUT_LINK}
        path={`dags/${encodeURIComponent(source.dag_id)}`}
        title={bothNames(called, source.dag_id)}
        fontWeight="semibold"
      >
        <NameAndId name={called} id={source.dag_id} />
      </AirflowLink>
      <RunLink dagId={source.dag_id} runId={source.run_id} />
      {run && <StatusBadge status={run.status} />}
      {run && (
        <Text color="fg.muted">
          {word("runType", run.run_type)} · {t("word.runAfter")} <Time value={run.run_after} />
        </Text>
      )}
    </HStack>
  );
}
