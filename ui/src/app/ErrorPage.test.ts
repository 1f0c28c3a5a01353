import { expect, it } from "vitest";

import { DraftStore } from "../features/wizard/state/store";
import { forget } from "./ErrorPage";

it("forgets the drafts, and leaves what is Airflow's", () => {
  const store = new DraftStore({ dag_id: "orders", run_id: "r1" });
  const stop = store.subscribe(() => undefined);
  store.dispatch({ type: "set", patch: { name: "again" } });
  stop(); // writes it
  sessionStorage.setItem("airflow", "kept");
  expect(sessionStorage.length).toBe(2);
  forget(sessionStorage);
  expect(Object.keys(sessionStorage)).toEqual(["airflow"]);
});
