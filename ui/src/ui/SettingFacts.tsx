import type { RerunSettings } from "../api/types";
import { SETTING_NAMES, settingOf } from "../domain/settings";
import { useWords } from "../i18n/words";
import { Field } from "./feedback/Notices";

/** Each setting of a rerun with its value; an agreement only where it was given. */
export function SettingFacts({ settings }: { settings: RerunSettings }) {
  const { t, word } = useWords();
  const shown = SETTING_NAMES.filter((name) => settingOf(name).kind !== "consent" || settings[name] === true);
  const said = (name: (typeof SETTING_NAMES)[number]) => {
    const { [name]: value } = settings;
    switch (settingOf(name).kind) {
      case "number":
        return value ?? t("settingDefault");
      case "choice":
        return word(`setting.${name}`, String(value));
      default:
        return value === true ? t("yes") : t("no");
    }
  };
  return shown.map((name) => (
    <Field key={name} label={t(`setting.${name}.label`)}>
      {said(name)}
    </Field>
  ));
}
