/** What Airflow's own REST API says, asked with the user's session: its permissions decide. Errors are `Problem`s. */

import { useMutation, useQuery } from "@tanstack/react-query";

import { host } from "../host/Host";
import { query } from "../host/parameters";
import { keys } from "./keys";
import { STEADY, WATCH } from "./pace";
import { Problem, problemOf } from "./problem";
import { type LogLine, tailOf } from "./taskLog";
import type { RunRef } from "./types";

async function ask(path: string, signal: AbortSignal, accept = "application/json"): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(new Request(`${host().airflowRoot}api/v2/${path}`, { headers: { Accept: accept }, signal }));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new Problem(0, "no_answer", "");
  }
  if (!answer.ok) {
    const body: unknown = await answer.json().catch(() => undefined);
    throw problemOf(answer.status, body, answer.headers);
  }
  return answer;
}

async function json(path: string, signal: AbortSignal): Promise<unknown> {
  const answer = await ask(path, signal);
  try {
    return await answer.json();
  } catch {
    throw new Problem(0, "unreadable", "");
  }
}

/**
 * Since when no scheduler has been heard; null: none ever has; undefined: one is heard, or nobody knows. What was heard
 * while somebody was `watching` says nothing afterwards.
 */
export function useSilence(watching: boolean): string | null | undefined {
  const found = useQuery({
    queryKey: keys.scheduler,
    queryFn: async ({ signal }) => silenceOf(await json("monitor/health", signal)) ?? "heard",
    enabled: watching,
    refetchInterval: WATCH,
    staleTime: WATCH,
  });
  const told = watching && !found.isError ? found.data : undefined;
  return told === undefined || told === "heard" ? undefined : told.since;
}

interface Silence {
  since: string | null;
}

/** What Airflow's health says of the scheduler; undefined: it is well, or it isn't told. */
export function silenceOf(health: unknown): Silence | undefined {
  const { scheduler } = (health ?? {}) as { scheduler?: { status?: unknown; latest_scheduler_heartbeat?: unknown } };
  if (scheduler?.status !== "unhealthy") {
    return undefined;
  }
  const since = scheduler.latest_scheduler_heartbeat;
  return { since: typeof since === "string" ? since : null };
}

/** A task instance that failed, as Airflow lists it. */
export interface FailedTask {
  task_id: string;
  map_index: number;
  try_number: number;
  task_display_name: string;
  operator_name: string | null;
}

/** So many failed tasks of a run are named; Airflow's page of the run has all. */
export const NAMED_TASKS = 10;

/** `seen`: when that is another one, the run may have failed once more. */
export function useFailedTasks(run: RunRef, seen: string) {
  return useQuery({
    queryKey: keys.failedTasks(run, seen),
    queryFn: async ({ signal }) => {
      const path = `${runPath(run)}/taskInstances?${query({ state: "failed", limit: NAMED_TASKS, order_by: "-end_date" })}`;
      return (await json(path, signal)) as { task_instances: FailedTask[]; total_entries: number };
    },
    staleTime: Infinity,
  });
}

/** A try of a task instance, as Airflow keeps it. */
export interface TaskTry {
  try_number: number;
  state: string | null;
  start_date: string | null;
  end_date: string | null;
}

interface TriedTask {
  task_id: string;
  map_index: number;
  task_display_name: string;
  /** In the order in which they began. */
  tries: TaskTry[];
}

/** Of so many task instances of a run the tries are asked for, those with the most; each is a question of its own. */
export const TASKS_WITH_TRIES = 20;

/** The tries of a run's task instances. `seen`: when that is another one, there may be more of them. */
export function useTaskTries(run: RunRef, seen: string) {
  return useQuery({
    queryKey: keys.taskTries(run, seen),
    queryFn: async ({ signal }) => {
      const asked = query({ limit: TASKS_WITH_TRIES, order_by: "-try_number" });
      const found = (await json(`${runPath(run)}/taskInstances?${asked}`, signal)) as {
        task_instances: Omit<TriedTask, "tries">[];
        total_entries: number;
      };
      const tasks: TriedTask[] = [];
      for (const task of found.task_instances) {
        const mapped = task.map_index >= 0 ? `/${task.map_index}` : "";
        const path = `${runPath(run)}/taskInstances/${encodeURIComponent(task.task_id)}${mapped}/tries`;
        const { task_instances: tries } = (await json(path, signal)) as { task_instances: TaskTry[] };
        tasks.push({ ...task, tries: tries.toSorted((one, other) => one.try_number - other.try_number) });
      }
      return { tasks, total: found.total_entries };
    },
    staleTime: STEADY, // who opens it again sees the tries of by then
  });
}

function runPath({ dag_id, run_id }: RunRef): string {
  return `dags/${encodeURIComponent(dag_id)}/dagRuns/${encodeURIComponent(run_id)}`;
}

/** Path of a task instance's page in Airflow, which shows its log; relative to Airflow's root. */
export function taskPath({ dag_id, run_id }: RunRef, { task_id, map_index, try_number }: FailedTask): string {
  const run = `dags/${encodeURIComponent(dag_id)}/runs/${encodeURIComponent(run_id)}`;
  const mapped = map_index >= 0 ? `/mapped/${map_index}` : "";
  return `${run}/tasks/${encodeURIComponent(task_id)}${mapped}?${query({ try_number })}`;
}

/** Milliseconds after which a log that doesn't end is left: where it is missing, Airflow goes on looking for it. */
const PATIENCE = 30_000;

export interface LastLines {
  lines: LogLine[];
  /** The log was too long, or too slow, to be read to its end. */
  cut: boolean;
}

/** The last lines of a task instance's log, when somebody asks for them. */
export function useLastLines(run: RunRef, task: FailedTask) {
  return useMutation({
    mutationFn: async (): Promise<LastLines> => {
      const path = `${runPath(run)}/taskInstances/${encodeURIComponent(task.task_id)}/logs/${task.try_number}`;
      const patience = AbortSignal.timeout(PATIENCE);
      const asked = `${path}?${query({ map_index: task.map_index, full_content: "true" })}`;
      try {
        const answer = await ask(asked, patience, "application/x-ndjson");
        return await tailOf(answer, patience);
      } catch (error) {
        throw patience.aborted ? new Problem(0, "no_answer", "") : error;
      }
    },
  });
}
