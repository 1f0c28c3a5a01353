import { useCallback, useEffect, useMemo, useState } from "react";
import { NavigationType, useLocation, useNavigate, useNavigationType } from "react-router";

import { type Entry, parameters, query } from "../../../host/parameters";
import { useTaskInstances } from "../../../api/dagRuns";
import { usePlan } from "../../../api/plans";
import type { PlanBody, RunRef } from "../../../api/types";
import { planBody } from "./bodies";
import type { WizardState } from "./context";
import { type Step, STEPS } from "./draft";
import { indexed } from "./plan";
import { DraftStore, useDraft } from "./store";
import { entryChoice, refsOrDefault } from "./tasks";
import { againOf, useAgain, useFittingTasks, useLikeRecord } from "./useAgain";
import { useSettled } from "./useSettled";

const PAUSE = 400;

/** The draft of a source, and the server's answers about it. */
export function useWizardState(source: RunRef, entry: Entry): WizardState {
  const { search } = useLocation();
  const id = againOf(search);
  const begun = useNavigationType() === NavigationType.Push && !parameters(search).has("step");
  // Who asks for a rerun again means its record; a reload, or the way back, means what was chosen since.
  const [store] = useState(() => new DraftStore(source, id ?? null, id !== undefined && begun));
  const instances = useTaskInstances(source);
  const again = useAgain(store, id);
  const entered = useEntry(store, entry, instances.data, instances.isError);
  const ready = useLikeRecord(store, again, instances.data?.task_instances) && entered;
  const body = useQuestion(store);
  const settled = useSettled(ready ? body : undefined, PAUSE);
  const plan = usePlan(settled);
  const index = useMemo(() => (plan.data === undefined ? undefined : indexed(plan.data)), [plan.data]);
  const settling = settled !== body || plan.isPlaceholderData || plan.isFetching;
  const steps = useSteps(source, entry, store, again?.id);
  useFittingTasks(store, again, index);
  return useMemo(
    () => ({ source, store, instances, plan, index, settling, again, ...steps }),
    [source, store, instances, plan, index, settling, again, steps],
  );
}

/** Makes the preselection for the task instance from which the person came, once. True when that is done. */
function useEntry(
  store: DraftStore,
  { taskId, mapIndex }: Entry,
  data: WizardState["instances"]["data"],
  failed: boolean,
): boolean {
  const wanted = taskId === undefined ? null : `${taskId}\u0000${mapIndex ?? ""}`;
  const done = useDraft(store, (draft) => draft.entry) === wanted || wanted === null;
  useEffect(() => {
    if (!done && data !== undefined) {
      const chosen = entryChoice({ taskId, mapIndex }, data);
      const tasks = chosen && { tasks: refsOrDefault(chosen, data.task_instances) };
      store.dispatch({ type: "set", patch: { entry: wanted, ...tasks } });
    }
  }, [done, data, store, taskId, mapIndex, wanted]);
  return done || failed;
}

/** The question for the plan; the same object while it is the same question. */
function useQuestion(store: DraftStore): PlanBody | undefined {
  const source = useDraft(store, (draft) => draft.source);
  const tasks = useDraft(store, (draft) => draft.tasks);
  const rerunSource = useDraft(store, (draft) => draft.rerunSource);
  const includeManual = useDraft(store, (draft) => draft.includeManual);
  return useMemo(
    () => planBody({ source, tasks, rerunSource, includeManual }),
    [source, tasks, rerunSource, includeManual],
  );
}

/** The step is in the address, so that Back goes one step back. */
function useSteps(source: RunRef, { taskId, mapIndex }: Entry, store: DraftStore, again: number | undefined) {
  const navigate = useNavigate();
  const asked = parameters(useLocation().search).get("step");
  const step = STEPS.find((each) => each === asked) ?? "source";
  const hrefOf = useCallback(
    (to: Step) => `/rerun?${query({ ...source, task_id: taskId, map_index: mapIndex, again, step: to })}`,
    [source, taskId, mapIndex, again],
  );
  const goTo = useCallback((to: Step) => void navigate(hrefOf(to)), [navigate, hrefOf]);
  useEffect(() => store.dispatch({ type: "reached", step }), [store, step]);
  const startOver = useCallback(() => {
    if (again === undefined) {
      store.startOver();
    } else {
      store.clear(); // untold: this page would make it like the record again
    }
    void navigate(`/rerun?${query({ ...source, task_id: taskId, map_index: mapIndex, step: "source" })}`);
  }, [store, navigate, source, taskId, mapIndex, again]);
  return useMemo(() => ({ step, goTo, hrefOf, startOver }), [step, goTo, hrefOf, startOver]);
}
