/** Airflow's page around the tab of a Dag run, where its header says in what state that run is. */

import { useEffect, useRef } from "react";
import { useLocation } from "react-router";

import { host } from "./Host";

/** What the router is told on the way from a submit to its record. */
export const SUBMITTED = { submitted: true };

/**
 * Airflow doesn't look again at a run that has ended: above a record its header would go on to say "success" while the
 * run is made again. Once the rerun has begun the tab's run, that page is loaded anew, which leads back here.
 *
 * `begun`: whether the rerun has touched the run that Airflow's page is about; undefined: it isn't about one of the
 * rerun's.
 */
export function useAirflowLooksAgain(begun: boolean | undefined): void {
  const { state } = useLocation() as { state: Partial<typeof SUBMITTED> | null };
  const isOld = useRef(state?.submitted === true);
  useEffect(() => {
    if (begun === false) {
      isOld.current = true;
    } else if (begun && isOld.current && !isBusy()) {
      isOld.current = false;
      host().reload();
    }
  });
}

/** Whether somebody is in the middle of something that would be lost. */
function isBusy(): boolean {
  const typing = document.activeElement?.matches("input, textarea") ?? false;
  return typing || document.querySelector("[role=dialog], [role=alertdialog]") !== null;
}
