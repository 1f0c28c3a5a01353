/** What every part of the wizard may ask for. */

import type { UseQueryResult } from "@tanstack/react-query";
import { createContext, useContext } from "react";

import type { Plan, RunRef, TaskInstances } from "../../../api/types";
import type { Step } from "./draft";
import type { PlanIndex } from "./plan";
import type { DraftStore } from "./store";
import type { Again } from "./useAgain";

export interface WizardState {
  source: RunRef;
  store: DraftStore;
  instances: UseQueryResult<TaskInstances>;
  plan: UseQueryResult<Plan>;
  /** The last plan that there is; while `settling`, it may answer an older question. */
  index: PlanIndex | undefined;
  settling: boolean;
  /** The record that is to be done again. */
  again: Again | undefined;
  step: Step;
  goTo: (step: Step) => void;
  hrefOf: (step: Step) => string;
  /** Forgets all that was chosen, and the record that was to be done again. */
  startOver: () => void;
}

export const WizardContext = createContext<WizardState | null>(null);

export function useWizard(): WizardState {
  const state = useContext(WizardContext);
  if (state === null) {
    throw new Error("useWizard is for parts of the wizard");
  }
  return state;
}
