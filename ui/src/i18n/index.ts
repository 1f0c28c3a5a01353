/** Every visible word, in English and Chinese. The language is the one that the person has chosen in Airflow. */

import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { preferences } from "../host/preferences";
import enCommon from "./locales/en/common.json";
import enRecord from "./locales/en/record.json";
import enRuns from "./locales/en/runs.json";
import enWizard from "./locales/en/wizard.json";
import zhCommon from "./locales/zh/common.json";
import zhRecord from "./locales/zh/record.json";
import zhRuns from "./locales/zh/runs.json";
import zhWizard from "./locales/zh/wizard.json";

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
