/** What of a rerun has to be said: all that isn't as it is where nothing is said. */

import type { RerunBody, RerunSettings } from "../../api/types";
import { INITIAL, SETTING_NAMES, sentSettings } from "../settings";

const USUAL = sentSettings(INITIAL);

/** A rerun with nothing in it that goes without saying. `options` and `settings` are there where one of them is. */
export type Said = Partial<Record<keyof RerunBody, unknown>>;

/** Every setting of a rerun, those that it leaves out as they begin. */
export function settingsOf(body: RerunBody): RerunSettings {
  return { ...USUAL, ...defined(body.settings) };
}

export function said(body: RerunBody): Said {
  const settings = settingsOf(body);
  const unusual = SETTING_NAMES.filter((name) => settings[name] !== USUAL[name]);
  const { include_manual: manual, ...options } = body.options;
  const all: Required<Said> = {
    source: body.source,
    task_ids: body.task_ids?.map(ref),
    rerun_source: body.rerun_source ? undefined : false,
    options: unlessEmpty(defined({ ...options, include_manual: manual || undefined })),
    members: body.members?.map(ref),
    freeze_mode: body.freeze_mode || undefined,
    frozen: unlessEmpty(body.frozen?.map(ref)),
    plan_token: body.plan_token,
    name: body.name,
    reason: body.reason,
    settings: unlessEmpty(Object.fromEntries(unusual.map((name) => [name, settings[name]]))),
    notifications: unlessEmpty(body.notifications),
    propose: body.propose || undefined,
  };
  return defined(all);
}

/** Without the fields that say nothing. */
function defined<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  ) as Fields;
}

function ref<Name>(name: Name): Name {
  return typeof name === "object" && name !== null ? defined(name) : name;
}

function unlessEmpty<Value extends object>(value: Value | undefined): Value | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : value;
}
