import { Checkbox, Field, Input, RadioGroup, Stack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

import { numberOf, type SettingName, settingOf, type TypedSettings } from "../../../../domain/settings";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";
import { useDraft } from "../../state/store";

interface FieldProps<Value> {
  name: SettingName;
  value: Value;
  onChange: (value: Value) => void;
}

/** A setting of the rerun, to be made. */
export function SettingField({ name }: { name: SettingName }) {
  const { t, word } = useWords();
  const { store } = useWizard();
  const value = useDraft(store, (draft) => draft.settings[name]);
  const set = (to: TypedSettings[SettingName]) => store.dispatch({ type: "settings", patch: { [name]: to } });
  const setting = settingOf(name);
  switch (setting.kind) {
    case "number":
      return <NumberField name={name} value={String(value ?? "")} onChange={set} />;
    case "choice":
      return <Choice name={name} value={value} values={setting.values} onChange={set} />;
    default:
      return (
        <Check label={t(`setting.${name}.label`)} checked={value === true} onChange={set}>
          {word(`setting.${name}`, "hint")}
        </Check>
      );
  }
}

function NumberField({ name, value, onChange }: FieldProps<string>) {
  const { t, word } = useWords();
  return (
    <Field.Root invalid={Number.isNaN(numberOf(value))}>
      <Field.Label>{t(`setting.${name}.label`)}</Field.Label>
      <Input
        size="sm"
        width="16rem"
        inputMode="numeric"
        placeholder={t("settingDefault")}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <Field.HelperText>{word(`setting.${name}`, "hint")}</Field.HelperText>
      <Field.ErrorText>{t("wizard:block.number")}</Field.ErrorText>
    </Field.Root>
  );
}

type Value = TypedSettings[SettingName];

function Choice({ name, value, values, onChange }: FieldProps<Value> & { values: readonly Value[] }) {
  const { t, word, has } = useWords();
  return (
    <RadioGroup.Root
      size="sm"
      colorPalette="brand"
      value={String(value)}
      onValueChange={(change) => onChange(values.find((each) => String(each) === change.value) ?? null)}
    >
      <RadioGroup.Label fontWeight="medium">{t(`setting.${name}.label`)}</RadioGroup.Label>
      <Stack gap={2} mt={1.5}>
        {values.map(String).map((each) => (
          <RadioGroup.Item key={each} value={each} alignItems="flex-start">
            <RadioGroup.ItemHiddenInput />
            <RadioGroup.ItemIndicator mt={0.5} />
            <RadioGroup.ItemText fontWeight="normal">
              {word(`setting.${name}`, each)}
              {has(`setting.${name}.${each}_hint`) && (
                <Text color="fg.muted">{word(`setting.${name}`, `${each}_hint`)}</Text>
              )}
            </RadioGroup.ItemText>
          </RadioGroup.Item>
        ))}
      </Stack>
    </RadioGroup.Root>
  );
}

interface CheckProps {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
}

export function Check({ label, checked, onChange, children }: CheckProps) {
  return (
    <Checkbox.Root
      size="sm"
      colorPalette="brand"
      alignItems="flex-start"
      checked={checked}
      onCheckedChange={(to) => onChange(to.checked === true)}
    >
      <Checkbox.HiddenInput />
      <Checkbox.Control mt={0.5} />
      <Checkbox.Label fontWeight="normal">
        <Text as="span" display="block">
          {label}
        </Text>
        <Text as="span" display="block" color="fg.muted">
          {children}
        </Text>
      </Checkbox.Label>
    </Checkbox.Root>
  );
}
