import { Alert, Checkbox, Flex, Spinner, Text } from "@chakra-ui/react";
import { useCallback, useMemo } from "react";

import type { TaskInstances } from "../../../../api/types";
import { Loading, Nothing, ProblemNotice } from "../../../../ui/feedback/Notices";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";
import { useDraft } from "../../state/store";
import { SMALL } from "../../../../ui/room";
import { TaskChoice } from "../../task-picker/TaskChoice";
import { chosenBy, refsOrDefault } from "../../state/tasks";

/** Step 1: which tasks of the source are rerun. */
export function SourceStep() {
  const { t } = useWords();
  const { instances } = useWizard();
  if (instances.data === undefined) {
    return instances.isError ? (
      <ProblemNotice error={instances.error} retry={() => void instances.refetch()} />
    ) : (
      <Loading />
    );
  }
  return (
    <Flex direction="column" gap={3} flex="1" minHeight="27rem" css={{ [SMALL]: { minHeight: 0 } }}>
      <AlreadyRight />
      {instances.data.task_instances.length === 0 ? (
        <Nothing title={t("wizard:tasks.nothing")} />
      ) : (
        <SourceTasks data={instances.data} />
      )}
      <Reach />
    </Flex>
  );
}

function AlreadyRight() {
  const { t } = useWords();
  const { store } = useWizard();
  const rerunSource = useDraft(store, (draft) => draft.rerunSource);
  return (
    <Checkbox.Root
      size="sm"
      colorPalette="brand"
      alignItems="flex-start"
      checked={!rerunSource}
      onCheckedChange={({ checked }) => store.dispatch({ type: "set", patch: { rerunSource: checked !== true } })}
    >
      <Checkbox.HiddenInput />
      <Checkbox.Control mt={0.5} />
      <Checkbox.Label fontWeight="normal">
        {t("wizard:alreadyRight.label")}{" "}
        <Text as="span" color="fg.muted">
          {t("wizard:alreadyRight.hint")}
        </Text>
      </Checkbox.Label>
    </Checkbox.Root>
  );
}

function SourceTasks({ data }: { data: TaskInstances }) {
  const { t } = useWords();
  const { store } = useWizard();
  const tasks = useDraft(store, (draft) => draft.tasks);
  const { task_instances: instances, structure } = data;
  const chosen = useMemo(() => chosenBy(tasks, instances), [tasks, instances]);
  const choose = useCallback(
    (keys: ReadonlySet<string>) => store.dispatch({ type: "set", patch: { tasks: refsOrDefault(keys, instances) } }),
    [store, instances],
  );
  return (
    <TaskChoice
      label={t("wizard:tasks.label")}
      instances={instances}
      structure={structure}
      chosen={chosen}
      onChoose={choose}
    />
  );
}

/** What the choice reaches, as soon as it is known. */
function Reach() {
  const { t } = useWords();
  const { index, plan, settling, store } = useWizard();
  const none = useDraft(store, (draft) => draft.tasks?.length === 0);
  if (none) {
    return null;
  }
  if (plan.isError) {
    return <ProblemNotice error={plan.error} retry={() => void plan.refetch()} />;
  }
  if (index === undefined) {
    return <Text color="fg.muted">{t("wizard:plan.making")}</Text>;
  }
  const made = index.plan.runs.filter((run) => run.exists);
  const dags = new Set(made.map((run) => run.dag_id)).size;
  return (
    <Alert.Root status="neutral" size="sm" textStyle="sm" py={2} aria-live="polite" data-testid="reach">
      <Alert.Indicator>{settling ? <Spinner size="sm" /> : undefined}</Alert.Indicator>
      <Alert.Title fontWeight="normal">
        {made.length === 0
          ? t("wizard:reach.none")
          : t("wizard:reach.some", { runs: t("count.runs", { count: made.length }), count: dags })}
      </Alert.Title>
    </Alert.Root>
  );
}
