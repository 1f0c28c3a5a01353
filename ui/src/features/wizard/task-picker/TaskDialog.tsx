import { Button, Dialog, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";

import { useTaskInstances } from "../../../api/dagRuns";
import type { PlanRun } from "../../../api/types";
import { LargeDialog } from "../../../ui/feedback/LargeDialog";
import { Loading, ProblemNotice } from "../../../ui/feedback/Notices";
import { useWords } from "../../../i18n/words";
import { useChoosingRuns } from "../state/choosing";
import { useWizard } from "../state/context";
import { useNames } from "../../../ui/names";
import { type PlanIndex, wayOf, tasksOf } from "../state/plan";
import { TaskChoice } from "./TaskChoice";
import { chosenBy, refsOrDefault } from "../state/tasks";

/** The choice of the tasks of one downstream run. */
export function TaskDialog({ index, runKey }: { index: PlanIndex; runKey: string }) {
  const { t } = useWords();
  const { chooseTasks } = useChoosingRuns();
  const { plannedName: nameOf } = useNames();
  const run = index.runs.get(runKey);
  return (
    <LargeDialog
      open={run !== undefined}
      title={t("wizard:tasks.of", { dag: run?.dag_id ?? "" })}
      subtitle={run && nameOf(run)}
      onClose={() => chooseTasks(null)}
    >
      {run && <Body run={run} runKey={runKey} />}
    </LargeDialog>
  );
}

function Body({ run, runKey }: { run: PlanRun; runKey: string }) {
  const { t } = useWords();
  const { store } = useWizard();
  const { chooseTasks } = useChoosingRuns();
  const asked = useTaskInstances({ dag_id: run.dag_id, run_id: run.run_id ?? "" });
  // The plan's instances tell what is selected downstream; what is asked for here, how the tasks hang together.
  const instances = run.task_instances;
  const before = useMemo(() => chosenBy(tasksOf(run, store.get()), instances ?? []), [run, store, instances]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(before);
  const possible = wayOf(run, store.get().freezeMode) !== null;
  const save = () => {
    store.dispatch({ type: "memberTasks", key: runKey, tasks: refsOrDefault(chosen, instances ?? []) });
    chooseTasks(null);
  };
  return (
    <>
      <Dialog.Body display="flex" flexDirection="column" minHeight={0} overflow="auto" gap={3}>
        <ProblemNotice error={asked.error} retry={() => void asked.refetch()} />
        {instances === null || asked.isPending ? (
          <Loading />
        ) : (
          <TaskChoice
            inDialog
            label={t("wizard:tasks.of", { dag: run.dag_id })}
            instances={instances}
            structure={asked.data?.structure ?? []}
            chosen={chosen}
            onChoose={setChosen}
          />
        )}
      </Dialog.Body>
      <Dialog.Footer>
        <Text color="fg.muted" me="auto">
          {!possible ? t("wizard:tasks.onlyLook") : chosen.size === 0 ? t("wizard:tasks.leavesOut") : ""}
        </Text>
        <Button size="sm" variant="outline" onClick={() => chooseTasks(null)}>
          {t("action.cancel")}
        </Button>
        <Button size="sm" colorPalette="brand" disabled={!possible || instances === null} onClick={save}>
          {t("wizard:tasks.take")}
        </Button>
      </Dialog.Footer>
    </>
  );
}
