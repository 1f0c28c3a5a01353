/** A rerun as arguments of `submit`, where they can say it: see `cli/bodies.py`, which reads them. */

import type { RerunBody, RerunSettings } from "../../api/types";
import { SETTING_NAMES, type SettingName } from "../settings";
import { hasUnseen } from "./literals";
import { settingsOf } from "./said";

/** An option with its value. One that begins with a dash would be taken for an option itself. */
function option(flag: string, value: string): string[] {
  return value.startsWith("-") ? [`${flag}=${value}`] : [flag, value];
}

const flag = (name: string, wanted: boolean): string[] => (wanted ? [name] : []);

const SETTING_ARGUMENTS: { [Name in SettingName]: (value: RerunSettings[Name]) => string[] } = {
  max_active_members: (value) => (value === null ? [] : option("--max-active-members", String(value))),
  on_failure: (value) => (value === "continue_other_branches" ? [] : option("--on-failure", value)),
  run_on_latest_version: (value) => (value === null ? [] : [value ? "--latest-version" : "--same-version"]),
  stop_running_on_terminate: (value) => flag("--no-stop-on-terminate", !value),
  accept_duplicate_runs: (value) => flag("--accept-duplicate-runs", value),
  accept_unknown_offsets: (value) => flag("--accept-unknown-offsets", value),
};

/** Thrown where an argument would be read as something else. */
class Unsayable extends Error {}

function unless(misread: boolean, text: string): string {
  if (misread) {
    throw new Unsayable(text);
  }
  return text;
}

/**
 * The arguments after `submit`, those that belong together in a group. Undefined where they can't say all of it, or it
 * holds what nobody would see in a terminal: such a rerun goes in a file.
 */
export function submitArguments(body: RerunBody): string[][] | undefined {
  try {
    const groups = [...sourceArguments(body), ...selectionArguments(body), ...otherArguments(body)];
    const found = groups.filter((group) => group.length > 0);
    return found.flat().some(hasUnseen) ? undefined : found;
  } catch (error) {
    if (error instanceof Unsayable) {
      return undefined;
    }
    throw error;
  }
}

function sourceArguments({ source, task_ids: tasks, rerun_source: again, options }: RerunBody): string[][] {
  const { link_kinds: kinds, max_runs: runs, max_depth: depth } = options;
  unless(kinds?.length === 0 || tasks?.length === 0, "an empty list");
  return [
    [source.dag_id, source.run_id].map((id) => unless(id.startsWith("-"), id)),
    ...(tasks ?? []).map((task) => option("--task-id", taskArgument(task))),
    flag("--already-right", !again),
    flag("--include-manual", options.include_manual),
    ...(kinds ?? []).map((kind) => option("--link-kind", kind)),
    typeof runs === "number" ? option("--max-runs", String(runs)) : [],
    typeof depth === "number" ? option("--max-depth", String(depth)) : [],
  ];
}

type Task = NonNullable<RerunBody["task_ids"]>[number];

function taskArgument(task: Task): string {
  const { task_id: id, map_index: index = null } = typeof task === "string" ? { task_id: task } : task;
  if (index === null) {
    return unless(/\[\p{Nd}+\]$/u.test(id), id);
  }
  return unless(index < 0, `${id}[${index}]`);
}

function selectionArguments({ members, freeze_mode: freezeMode, frozen }: RerunBody): string[][] {
  const named = (members ?? []).map(({ dag_id: dag, run_id: run, task_ids: tasks }) => [
    ...option("--member", `${unless(dag.includes("/"), dag)}/${run}`),
    ...(tasks ? option("--member-tasks", tasksArgument(tasks)) : []),
  ]);
  const held = (frozen ?? []).map((run) => option("--freeze", frozenArgument(run)));
  unless(held.length > 0 && !freezeMode, "frozen runs without freeze mode");
  return [flag("--only-source", members?.length === 0), ...named, flag("--freeze-mode", freezeMode), ...held];
}

function tasksArgument(tasks: readonly Task[]): string {
  unless(tasks.length === 0, "an empty list");
  return tasks
    .map(taskArgument)
    .map((task) => unless(task === "" || task.includes(","), task))
    .join(",");
}

function frozenArgument(run: NonNullable<RerunBody["frozen"]>[number]): string {
  const dag = unless(/[/@]/.test(run.dag_id), run.dag_id);
  if ("run_id" in run) {
    return `${dag}/${run.run_id}`;
  }
  const { partition_key: key, logical_date: date } = run;
  return `${dag}@${typeof key === "string" ? `partition:${key}` : (date ?? "next")}`;
}

function settingArgument<Name extends SettingName>(name: Name, settings: Pick<RerunSettings, Name>): string[] {
  return SETTING_ARGUMENTS[name](settings[name]);
}

function otherArguments(body: RerunBody): string[][] {
  const settings = settingsOf(body);
  const text = (name: string, value: string | null | undefined) =>
    typeof value === "string" ? option(name, value) : [];
  return [
    text("--plan-token", body.plan_token),
    text("--name", body.name),
    text("--reason", body.reason),
    ...SETTING_NAMES.map((name) => settingArgument(name, settings)),
    ...body.notifications.map(({ target, on }) =>
      option("--notify", `${unless(target.includes(":"), target)}:${on.join(",")}`),
    ),
  ];
}
