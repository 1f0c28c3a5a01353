import { createBrowserRouter, Navigate, type RouteObject, useLocation } from "react-router";

import type { Host } from "../host/Host";
import { entryOf, query } from "../host/parameters";
import { appRoot } from "../host/paths";
import { Crashed, NotFound } from "./ErrorPage";
import { DagRunsPage } from "../features/dag-runs/DagRunsPage";
import { RecordPage } from "../features/rerun/RerunPage";
import { RecordsPage } from "../features/reruns/RerunsPage";
import { WizardPage } from "../features/wizard/WizardPage";

/** The way in from Airflow's tabs: a run opens the wizard, a Dag or a task the list of its runs. */
function Entrance() {
  const { dagId, runId, taskId, mapIndex } = entryOf(useLocation().search);
  const there = query({ dag_id: dagId, run_id: runId, task_id: taskId, map_index: mapIndex });
  return <Navigate replace to={`${dagId && runId ? "/rerun" : "/dag-runs"}?${there}`} />;
}

const ROUTES: RouteObject[] = [
  {
    errorElement: <Crashed />,
    children: [
      { path: "/", element: <Entrance /> },
      { path: "/dag-runs", element: <DagRunsPage /> },
      { path: "/rerun", element: <WizardPage /> },
      { path: "/records", element: <RecordsPage /> },
      { path: "/records/:id", element: <RecordPage /> },
      { path: "*", element: <NotFound /> },
    ],
  },
];

export function makeRouter(host: Host) {
  return createBrowserRouter(ROUTES, { basename: appRoot(host), window: host.routerWindow() });
}
