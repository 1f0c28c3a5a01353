/** A key that the English catalogue doesn't have is an error of the compiler. */

import "i18next";

import type common from "./locales/en/common.json";
import type record from "./locales/en/record.json";
import type runs from "./locales/en/runs.json";
import type sentences from "./locales/en/sentences.json";
import type wizard from "./locales/en/wizard.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: {
      common: typeof common;
      record: typeof record;
      runs: typeof runs;
      sentences: typeof sentences;
      wizard: typeof wizard;
    };
  }
}
