import { createContext, useContext } from "react";

/** Which run the person looks at, and of which one the tasks are being chosen. */
export interface ChoosingState {
  current: string | null;
  setCurrent: (key: string | null) => void;
  choosingTasks: string | null;
  chooseTasks: (key: string | null) => void;
}

export const Choosing = createContext<ChoosingState>({
  current: null,
  setCurrent: () => undefined,
  choosingTasks: null,
  chooseTasks: () => undefined,
});

export function useChoosingRuns(): ChoosingState {
  return useContext(Choosing);
}
