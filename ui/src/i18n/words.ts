/** Words of the catalogue, and those for the server's machine words. */

import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type {
  Advice,
  CauseWord,
  Condition,
  EventAction,
  Evidence,
  LinkKind,
  MemberAction,
  MemberState,
  OnFailure,
  Reason,
  RerunAction,
  RerunSettings,
  RerunState,
  Role,
  RunStatus,
  RunType,
  WarningCode,
} from "../api/types";
import type common from "./locales/en/common.json";
import type record from "./locales/en/record.json";
import type wizard from "./locales/en/wizard.json";

/** Groups of the common catalogue, and which words of the server each has a text for. */
interface Words {
  advice: Advice;
  evidence: Evidence;
  evidenceMeaning: Evidence;
  linkKind: LinkKind;
  memberState: MemberState;
  reason: Reason;
  rerunState: RerunState;
  role: Role;
  runType: RunType;
  status: RunStatus;
  warning: WarningCode;
  /** Parts of the installation: a newer server may have more. */
  component: string;
  /** Airflow's own states: it may have more. */
  airflowState: string;
}

/** The values of a rerun's settings, and hints to them. */
type SettingWords = Record<`setting.${keyof RerunSettings}`, string>;

/** What a catalogue and the server's contract don't have in common: nothing, or this isn't compiled. */
type Difference<Server extends string, Texts> = string extends Server
  ? never
  : Exclude<Server, keyof Texts> | Exclude<keyof Texts, Server>;

type Same<Differences extends readonly never[]> = Differences;

export type EveryWordHasItsText = Same<
  [
    { [Group in keyof Words]: Difference<Words[Group], (typeof common)[Group]> }[keyof Words],
    Exclude<CauseWord, Reason | "paused_by_user" | "terminated_by_user">,
    Difference<EventAction, typeof record.event>,
    Exclude<RerunAction | MemberAction, keyof typeof record.action>,
    Exclude<Condition, keyof typeof wizard.notify>,
    Exclude<keyof RerunSettings, keyof typeof common.setting>,
    Exclude<OnFailure, keyof typeof common.setting.on_failure>,
  ]
>;

/**
 * `t` gives the words of a namespace (`t("wizard:title")`); `word` the ones for a machine word of the server. A word
 * that this page doesn't know yet is shown as it came. `has` tells whether there is a text; `list` joins several things.
 */
export function useWords() {
  const { t, i18n } = useTranslation(["common", "runs", "wizard", "record"]);
  return useMemo(() => {
    type All = Words & SettingWords;
    const word = <Group extends keyof All>(group: Group, machineWord: All[Group] | null | undefined): string => {
      if (!machineWord) {
        return "";
      }
      const key = `${group}.${machineWord}`;
      return i18n.exists(key) ? t(key as never) : machineWord;
    };
    const has = (key: string): boolean => i18n.exists(key);
    const lists = new Intl.ListFormat(i18n.language, { style: "narrow" });
    const list = (items: Iterable<string>): string => lists.format(items);
    /** How a member is shown, in words. */
    const lookWord = (look: MemberState | keyof (typeof common)["memberLook"]): string =>
      look === "queued" || look === "partly" || look === "unchecked"
        ? t(`memberLook.${look}`)
        : word("memberState", look);
    return { t, word, has, list, lookWord };
  }, [t, i18n]);
}
