/** What the server says, in the words of these pages: it sends a code and parameters, the texts are `sentences.json`. */

import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { Sentence } from "../api/types";
import { shownDate } from "../domain/dates";
import { usePreferences } from "../host/Host";

type Param = Sentence["params"][string];

/** `t` for a key that only the server knows. */
type Untyped = (key: string, values: Record<string, unknown>) => string;

/** Parameters with such a name are moments, and no others. */
const MOMENT = /_(at|date)$/;

/** Ends a whole sentence: a list of such is no list of names. */
const WHOLE = /[.!?。！？]$/;

/** Why a notification didn't arrive: a word of the server's, behind which more may stand that others have said. */
export function useDeliveryError(): (error: string) => string {
  const { t, i18n } = useTranslation("sentences");
  return (error) => {
    const [word = "", ...more] = error.split(":");
    const key = `sentences:delivery.${word}`;
    if (!i18n.exists(key)) {
      return error;
    }
    const what = t(key as never);
    return more.length === 0 ? what : t("part.with_more", { what, more: more.join(":").trim() });
  };
}

/** The words for a sentence; undefined where these pages don't know its code: the server is newer than they are. */
export function useSentence(): (sentence: Sentence | null | undefined) => string | undefined {
  const { t, i18n } = useTranslation("sentences");
  const { timeZone } = usePreferences();
  return useMemo(() => {
    const names = new Intl.ListFormat(i18n.language, { style: "long", type: "conjunction" });

    const several = (items: readonly (string | Sentence)[]): string | undefined => {
      const said = items.map((each) => (typeof each === "string" ? each : say(each)));
      const known = said.filter((each) => each !== undefined);
      if (known.length < said.length) {
        return undefined;
      }
      if (items.every((each) => typeof each === "string")) {
        return names.format(known);
      }
      const between = known.every((each) => WHOLE.test(each)) ? "between.sentences" : "between.clauses";
      return known.reduce((first, next) => t(between, { first, next }));
    };

    const shown = (name: string, value: Param): string | number | undefined => {
      if (typeof value === "number") {
        return value;
      }
      if (typeof value === "string") {
        return MOMENT.test(name) ? shownDate(value, timeZone) : value;
      }
      return Array.isArray(value) ? several(value) : say(value);
    };

    const say = ({ code, params }: Sentence): string | undefined => {
      const values = Object.entries(params).map(([name, value]) => [name, shown(name, value)] as const);
      const known = Object.fromEntries(values);
      const key = `sentences:${code}`;
      return values.some(([, value]) => value === undefined) || !i18n.exists(key, known)
        ? undefined
        : (t as Untyped)(key, known);
    };

    return (sentence) => (sentence ? say(sentence) : undefined);
  }, [t, i18n, timeZone]);
}
