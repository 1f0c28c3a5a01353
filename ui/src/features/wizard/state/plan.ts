/** A plan, arranged for questions about one run, and what a draft makes of it. */

import type { Link, Plan, PlanRun, Reason, TaskRef } from "../../../api/types";
import { backward, forward, type GraphEdge, levels, type Neighbours } from "../../../ui/graph/structure";
import { keyOf } from "../../../domain/runName";
import type { Draft } from "./draft";
import { grouped } from "../../../domain/grouped";

export interface PlanIndex {
  plan: Plan;
  source: string;
  /** Every run of the plan, the source included. */
  runs: ReadonlyMap<string, PlanRun>;
  /** The keys of the downstream runs, in the plan's order. */
  keys: readonly string[];
  /** Dags with links of which the run can't be told, by the key under which a link names them. */
  unknown: ReadonlyMap<string, string>;
  /** The Dags that hang on one of those, by the same key. */
  behind: ReadonlyMap<string, readonly string[]>;
  linksTo: ReadonlyMap<string, readonly Link[]>;
  edges: readonly GraphEdge[];
  after: Neighbours;
  before: Neighbours;
  level: ReadonlyMap<string, number>;
}

export function indexed(plan: Plan): PlanIndex {
  const source = keyOf(plan.source);
  const runs = new Map([plan.source, ...plan.runs].map((run) => [keyOf(run), run]));
  const keys = [...runs.keys()].slice(1);
  const links = plan.links.filter((link) => hook(link) === null);
  const linksTo = grouped(links, (link) => keyOf(link.downstream));
  const behind = new Map<string, string[]>();
  for (const link of plan.links) {
    const first = hook(link);
    if (first !== null) {
      behind.set(keyOf(first), [...(behind.get(keyOf(first)) ?? []), link.downstream.dag_id]);
    }
  }
  const unknown = new Map<string, string>();
  const edges: GraphEdge[] = [];
  for (const link of links) {
    const [from, to] = [keyOf(link.upstream), keyOf(link.downstream)];
    if (!runs.has(to)) {
      unknown.set(to, link.downstream.dag_id);
    }
    edges.push({ from, to });
  }
  const level = levels([...runs.keys(), ...unknown.keys()], edges);
  const [after, before] = [forward(edges), backward(edges)];
  return { plan, source, runs, keys, unknown, behind, linksTo, edges, after, before, level };
}

interface DagRef {
  dag_id: string;
}

/** The Dag on whose unresolved link another one hangs; null where the link stands by itself. */
function hook({ via }: Link): DagRef | null {
  const found = via.behind as { downstream: DagRef } | undefined;
  return found?.downstream ?? null;
}

/** How a run takes part: its tasks run again, it is stopped and then runs again, or it is frozen. */
export type Way = "rerun" | "stop" | "hold";

/** How a run would take part; null where the server says that it can't. */
export function wayOf(run: PlanRun, freezeMode: boolean): Way | null {
  return run.selectable ? "rerun" : freezeMode ? run.freeze_action : null;
}

type Choices = Pick<Draft, "members" | "freezeMode" | "only">;

/**
 * By default freeze mode takes what would read wrong data, by the server's word. `only`: nothing is taken by default. A run
 * that a record froze isn't rerun for that, nor is one frozen that it reran.
 */
export function isTaken(run: PlanRun, { members, freezeMode, only }: Choices): boolean {
  const way = wayOf(run, freezeMode);
  const { taken, held } = members.get(keyOf(run)) ?? {};
  if (way === null || (held !== undefined && held !== (way === "hold"))) {
    return false;
  }
  const usual = way === "rerun" ? run.selected : run.freeze_selected;
  return taken ?? (!only && usual);
}

/** Why a run can't be taken, in the server's words; null: it can. */
export function refusalOf(run: PlanRun, freezeMode: boolean): Reason | null {
  return wayOf(run, freezeMode) !== null ? null : ((freezeMode ? run.freeze_reason : null) ?? run.reason);
}

/** The tasks that were named for a run; null: those that the server proposes. */
export function tasksOf(run: PlanRun, { members }: Pick<Draft, "members">): TaskRef[] | null {
  return members.get(keyOf(run))?.tasks ?? null;
}

/** The keys of the downstream runs that take part, by how they do. */
export function selection(index: PlanIndex, draft: Choices): Record<Way, string[]> {
  const found: Record<Way, string[]> = { rerun: [], stop: [], hold: [] };
  for (const key of index.keys) {
    const run = index.runs.get(key);
    if (run !== undefined && isTaken(run, draft)) {
      found[wayOf(run, draft.freezeMode) ?? "rerun"].push(key);
    }
  }
  return found;
}

/** The runs among these that can be taken. */
export function takeable(index: PlanIndex, keys: Iterable<string>, freezeMode: boolean): string[] {
  return [...keys].filter((key) => {
    const run = index.runs.get(key);
    return key !== index.source && run !== undefined && wayOf(run, freezeMode) !== null;
  });
}

/**
 * The downstream runs that are shown. A run that isn't made yet and to which no link leads matters to freeze mode only.
 */
export function shownKeys(index: PlanIndex, freezeMode: boolean): string[] {
  return index.keys.filter((key) => freezeMode || index.runs.get(key)?.exists === true || index.before.has(key));
}
