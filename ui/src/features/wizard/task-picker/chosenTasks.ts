import { createContext, useContext } from "react";

export interface TaskChoosing {
  chosen: ReadonlySet<string>;
  /** Ticks these instances, or unticks them. */
  tick: (keys: Iterable<string>, wanted: boolean) => void;
  /** Ticks instances of a task, and every task that follows. */
  withDownstream: (taskId: string, keys: Iterable<string>) => void;
}

export const ChosenTasks = createContext<TaskChoosing>({
  chosen: new Set(),
  tick: () => undefined,
  withDownstream: () => undefined,
});

/** Which instances are ticked; only the cells that ask are drawn again when it changes. */
export function useChosenTasks(): TaskChoosing {
  return useContext(ChosenTasks);
}
