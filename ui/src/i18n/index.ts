/** Every visible word, in English and Chinese. The language is the one that the person has chosen in Airflow. */

import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { preferences } from "../airflow/preferences";
import enCommon from "./en/common.json";
import enRecord from "./en/record.json";
import enRuns from "./en/runs.json";
import enWizard from "./en/wizard.json";
import zhCommon from "./zh/common.json";
import zhRecord from "./zh/record.json";
import zhRuns from "./zh/runs.json";
import zhWizard from "./zh/wizard.json";

export const resources = {
  en: { common: enCommon, runs: enRuns, wizard: enWizard, record: enRecord },
  zh: { common: zhCommon, runs: zhRuns, wizard: zhWizard, record: zhRecord },
} as const;

/** The catalogue for one of Airflow's languages; English where there is none. */
export function catalogueOf(language: string): keyof typeof resources {
  return language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

void i18next.use(initReactI18next).init({
  resources,
  lng: catalogueOf(preferences().language),
  fallbackLng: "en",
  ns: ["common", "runs", "wizard", "record"],
  defaultNS: "common",
  interpolation: { escapeValue: false }, // React escapes
  returnNull: false,
  initAsync: false,
});

export { i18next };
