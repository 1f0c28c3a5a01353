import { useEffect, useMemo } from "react";

import { useRecord } from "../../../api/reruns";
import type { TaskInstance } from "../../../api/types";
import { keyOf } from "../../../domain/runName";
import { parameters } from "../../../host/parameters";
import { likeRecord, type Lost, lostOf, presentTasks, type Recorded } from "./again";
import type { PlanIndex } from "./plan";
import { type DraftStore, useDraft } from "./store";

export interface Again {
  id: number;
  /** Undefined while it is on its way. */
  recorded: Recorded | undefined;
  /** The record couldn't be read: the draft is a new one. */
  failed: boolean;
  /** The draft is like the record, which can't be read now: what of it can't be chosen any more can't be told. */
  unchecked: boolean;
}

/** The rerun that an address wants done again. */
export function againOf(search: string): number | undefined {
  const id = Number(parameters(search).get("again"));
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

/** The record that an address wants done again, of this source; undefined where it wants none. */
export function useAgain(store: DraftStore, id: number | undefined): Again | undefined {
  const asked = useRecord(id, { once: true });
  const source = useDraft(store, (draft) => draft.source);
  const found = asked.data?.complete ? asked.data : undefined;
  const other = found !== undefined && keyOf(found.rerun.source) !== keyOf(source);
  const recorded = useMemo(() => found && { rerun: found.rerun, members: found.members }, [found]);
  const refused = other || (asked.isError && found === undefined);
  const like = useDraft(store, (draft) => draft.again) === id;
  const unread = useDraft(store, (draft) => draft.unread) === id;
  const failed = unread || (refused && !like);
  const unchecked = refused && like;
  useEffect(() => {
    // What a person has chosen since isn't overwritten where the record is read after all.
    if (failed && !unread && id !== undefined) {
      store.dispatch({ type: "unread", rerunId: id });
    }
  }, [store, id, failed, unread]);
  return useMemo(
    () => (id === undefined ? undefined : { id, failed, unchecked, recorded: failed ? undefined : recorded }),
    [id, failed, unchecked, recorded],
  );
}

/** Makes the draft like the record, once. True when that is done, or there is nothing to be like. */
export function useLikeRecord(
  store: DraftStore,
  again: Again | undefined,
  instances: readonly TaskInstance[] | undefined,
): boolean {
  const done = useDraft(store, (draft) => draft.again) === again?.id;
  const { id, recorded } = again ?? {};
  useEffect(() => {
    if (!done && id !== undefined && recorded !== undefined && instances !== undefined) {
      store.dispatch({ type: "again", rerunId: id, like: likeRecord(recorded, instances) });
    }
  }, [store, done, id, recorded, instances]);
  return again === undefined || again.failed || done;
}

/** Leaves tasks out that their runs don't have any more: a rerun that names them would be refused. */
export function useFittingTasks(store: DraftStore, again: Again | undefined, index: PlanIndex | undefined): void {
  const wanted = again !== undefined && !again.failed;
  useEffect(() => {
    if (!wanted || index === undefined) {
      return;
    }
    for (const [key, { tasks, taken }] of store.get().members) {
      const instances = index.runs.get(key)?.task_instances;
      const there = tasks && instances && presentTasks(tasks, instances);
      if (taken && there && there.length < tasks.length) {
        store.dispatch({ type: "memberTasks", key, tasks: there });
      }
    }
  }, [store, wanted, index]);
}

/** What of the record the draft lacks; undefined while that can't be told. */
export function useLost(
  again: Again | undefined,
  index: PlanIndex | undefined,
  instances: readonly TaskInstance[] | undefined,
): Lost | undefined {
  const recorded = again?.recorded;
  return useMemo(
    () => (recorded && index && instances ? lostOf(recorded, index, instances) : undefined),
    [recorded, index, instances],
  );
}
