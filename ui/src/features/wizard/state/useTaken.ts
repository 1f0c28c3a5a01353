import type { PlanRun, Reason } from "../../../api/types";
import { keyOf } from "../../../domain/runName";
import { useWizard } from "./context";
import { isTaken, refusalOf, tasksOf, type Way, wayOf } from "./plan";
import { useDraft } from "./store";
import { canBeChosen, chosenBy } from "./tasks";

/** What a draft says of one run. Only the components of that run are drawn again when it changes. */
export function useTaken(run: PlanRun): { taken: boolean; way: Way | null; refusal: Reason | null } {
  const { store } = useWizard();
  const freezeMode = useDraft(store, (draft) => draft.freezeMode);
  const taken = useDraft(store, (draft) => isTaken(run, draft));
  return { taken, way: wayOf(run, freezeMode), refusal: refusalOf(run, freezeMode) };
}

/** How many of a run's task instances are chosen, of how many. */
export function useTaskCount(run: PlanRun): { count: number; total: number } {
  const { store } = useWizard();
  const choice = useDraft(store, (draft) => draft.members.get(keyOf(run)));
  const refs = tasksOf(run, { members: new Map([[keyOf(run), choice ?? {}]]) });
  if (run.task_instances === null) {
    return { count: (refs ?? run.task_ids).length, total: run.task_ids.length };
  }
  return {
    count: chosenBy(refs, run.task_instances).size,
    total: run.task_instances.filter(canBeChosen).length,
  };
}
