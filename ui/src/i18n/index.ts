/** Every visible word. A language is a folder of `locales/`; which one is shown, the user has chosen in Airflow. */

import i18next from "i18next";
import { initReactI18next } from "react-i18next";

export const NAMESPACES = ["common", "runs", "wizard", "record", "sentences"] as const;

type Catalogue = Record<string, Record<string, unknown>>;

const files = import.meta.glob<Record<string, unknown>>("./locales/*/*.json", { eager: true, import: "default" });

/** The catalogues by language and namespace. */
export const resources: Record<string, Catalogue> = {};
for (const [path, texts] of Object.entries(files)) {
  const [language = "", namespace = ""] = path.replace(/^\.\/locales\/|\.json$/g, "").split("/");
  (resources[language] ??= {})[namespace] = texts;
}

const languages = Object.keys(resources);

/**
 * The catalogue for one of Airflow's languages: its own, or one of the same language in the same script from elsewhere
 * (`pt` for `pt-BR`), or English. Who reads traditional Chinese isn't given simplified: `zh-TW` takes none of `zh-CN`.
 */
export function catalogueOf(language: string, among: readonly string[] = languages): string {
  const wanted = written(language);
  return (
    among.find((each) => each.toLowerCase() === language.toLowerCase()) ??
    among.find((each) => wanted !== undefined && written(each) === wanted) ??
    "en"
  );
}

/** A language and its script, such as `zh-Hant`; undefined for what isn't a language. */
function written(tag: string): string | undefined {
  try {
    const { language, script } = new Intl.Locale(tag.replaceAll("_", "-")).maximize();
    return `${language}-${script}`;
  } catch {
    return undefined;
  }
}

void i18next.use(initReactI18next).init({
  resources,
  lng: "en",
  fallbackLng: "en",
  ns: NAMESPACES,
  defaultNS: "common",
  interpolation: { escapeValue: false }, // React escapes
  returnNull: false,
  initAsync: false,
});

/** Show a document in one of Airflow's languages. */
export function speak({ documentElement }: Document, language: string): void {
  documentElement.lang = catalogueOf(language);
  void i18next.changeLanguage(catalogueOf(language));
}

export { i18next };
