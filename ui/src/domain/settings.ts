/** The settings of a rerun: what each asks for, and with which value it begins. Its texts are `setting.<name>` of the catalogue. */

import type { RerunSettings, WarningCode } from "../api/types";

export type SettingName = keyof RerunSettings;

type Setting<Value> =
  /** A whole number from 1; nothing typed: the deployment's own. */
  | { kind: "number"; initial: Extract<Value, null> }
  | { kind: "choice"; initial: Value; values: readonly Value[] }
  | { kind: "flag"; initial: Extract<Value, boolean> }
  /** Asked for only where a plan warns of this, or a rerun is refused because of it. */
  | { kind: "consent"; initial: Extract<Value, boolean>; to: WarningCode };

export const SETTINGS = {
  max_active_members: { kind: "number", initial: null },
  on_failure: {
    kind: "choice",
    initial: "continue_other_branches",
    values: ["continue_other_branches", "pause"],
  },
  run_on_latest_version: { kind: "choice", initial: null, values: [null, true, false] },
  stop_running_on_terminate: { kind: "flag", initial: true },
  accept_duplicate_runs: { kind: "consent", initial: false, to: "asset_manager_inactive" },
  accept_unknown_offsets: { kind: "consent", initial: false, to: "offset_unknown" },
} as const satisfies { [Name in SettingName]: Setting<RerunSettings[Name]> };

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

type Value = boolean | string | null;

/** Settings as they are being made: numbers as typed. */
export type TypedSettings = Readonly<Record<SettingName, Value>>;

export const INITIAL = typedSettings({});

/** A setting by its name alone, whatever its values are. */
export function settingOf(name: SettingName): Setting<Value> {
  return SETTINGS[name];
}

/** The names of those that somebody has to agree to because of a warning or a refusal. */
export function consentsTo(codes: readonly string[]): SettingName[] {
  return SETTING_NAMES.filter((name) => {
    const setting = settingOf(name);
    return setting.kind === "consent" && codes.includes(setting.to);
  });
}

/** What somebody agrees to, having been warned. */
export const CONSENTS: readonly SettingName[] = SETTING_NAMES.filter((name) => SETTINGS[name].kind === "consent");

/** What was stored of settings; each that is missing, or can't be read, is as it begins. */
export function typedSettings(stored: Readonly<Record<string, unknown>>): TypedSettings {
  const known = SETTING_NAMES.map((name) => {
    const [setting, value] = [settingOf(name), stored[name]];
    return [name, allows(setting, value) ? value : setting.kind === "number" ? "" : setting.initial];
  });
  return Object.fromEntries(known) as TypedSettings;
}

function allows(setting: Setting<Value>, value: unknown): value is Value {
  switch (setting.kind) {
    case "number":
      return typeof value === "string";
    case "choice":
      return setting.values.includes(value as Value);
    default:
      return typeof value === "boolean";
  }
}

/** What was typed as a number: undefined for nothing, NaN for what can't be one. */
export function numberOf(typed: Value): number | undefined {
  const text = String(typed ?? "").trim();
  return text === "" ? undefined : /^[1-9]\d{0,8}$/.test(text) ? Number(text) : NaN;
}

/** Whether the server can be asked with them. */
export function areValid(settings: TypedSettings): boolean {
  return SETTING_NAMES.every((name) => SETTINGS[name].kind !== "number" || !Number.isNaN(numberOf(settings[name])));
}

/** As the contract takes them. */
export function sentSettings(settings: TypedSettings): RerunSettings {
  const sent = SETTING_NAMES.map((name) => [
    name,
    SETTINGS[name].kind === "number" ? (numberOf(settings[name]) ?? null) : settings[name],
  ]);
  return Object.fromEntries(sent) as RerunSettings;
}
