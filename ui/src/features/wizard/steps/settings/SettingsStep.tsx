import { Checkbox, Field, Input, RadioGroup, SimpleGrid, Stack, Text, Textarea } from "@chakra-ui/react";
import type { ReactNode } from "react";

import { useWords } from "../../../../i18n/words";
import { limitOf, warnsOfDuplicates, warnsOfOffsets } from "../../state/bodies";
import { useWizard } from "../../state/context";
import type { Draft, DraftSettings } from "../../state/draft";
import { NotificationSettings } from "./NotificationSettings";
import { useDraft } from "../../state/store";

const LONGEST = 500;

/** Step 3: how the rerun is carried out. */
export function SettingsStep() {
  const { index } = useWizard();
  return (
    <SimpleGrid columns={{ base: 1, md: 2 }} gap={8} maxWidth="64rem" pb={4} px={0.5}>
      <Stack gap={5}>
        <NameAndReason />
        <Limit />
        <OnFailure />
      </Stack>
      <Stack gap={5}>
        <Version />
        <Stopping />
        {warnsOfDuplicates(index?.plan) && <Duplicates />}
        {warnsOfOffsets(index?.plan) && <UnknownOffsets />}
        <NotificationSettings />
      </Stack>
    </SimpleGrid>
  );
}

function NameAndReason() {
  const { t } = useWords();
  const { store } = useWizard();
  const name = useDraft(store, (draft) => draft.name);
  const reason = useDraft(store, (draft) => draft.reason);
  const set = (patch: Partial<Pick<Draft, "name" | "reason">>) => store.dispatch({ type: "set", patch });
  return (
    <>
      <Field.Root>
        <Field.Label>{t("word.name")}</Field.Label>
        <Input size="sm" maxLength={LONGEST} value={name} onChange={(event) => set({ name: event.target.value })} />
        <Field.HelperText>{t("wizard:settings.nameHint")}</Field.HelperText>
      </Field.Root>
      <Field.Root>
        <Field.Label>{t("word.reason")}</Field.Label>
        <Textarea
          size="sm"
          rows={3}
          maxLength={LONGEST}
          value={reason}
          onChange={(event) => set({ reason: event.target.value })}
        />
        <Field.HelperText>{t("wizard:settings.reasonHint", { count: reason.length, limit: LONGEST })}</Field.HelperText>
      </Field.Root>
    </>
  );
}

function useSetting<Name extends keyof DraftSettings>(name: Name) {
  const { store } = useWizard();
  const value = useDraft(store, (draft) => draft.settings[name]);
  const set = (to: DraftSettings[Name]) => store.dispatch({ type: "settings", patch: { [name]: to } });
  return [value, set] as const;
}

function Limit() {
  const { t } = useWords();
  const [value, set] = useSetting("maxActiveMembers");
  const invalid = Number.isNaN(limitOf(value));
  return (
    <Field.Root invalid={invalid}>
      <Field.Label>{t("wizard:settings.limit")}</Field.Label>
      <Input
        size="sm"
        width="16rem"
        inputMode="numeric"
        placeholder={t("wizard:settings.limitDefault")}
        value={value}
        onChange={(event) => set(event.target.value)}
      />
      <Field.HelperText>{t("wizard:settings.limitHint")}</Field.HelperText>
      <Field.ErrorText>{t("wizard:block.limit")}</Field.ErrorText>
    </Field.Root>
  );
}

interface RadiosProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly { value: string; label: string; hint?: string }[];
}

function Radios({ label, value, onChange, options }: RadiosProps) {
  return (
    <RadioGroup.Root
      size="sm"
      colorPalette="brand"
      value={value}
      onValueChange={(change) => onChange(change.value ?? value)}
    >
      <RadioGroup.Label fontWeight="medium">{label}</RadioGroup.Label>
      <Stack gap={2} mt={1.5}>
        {options.map((option) => (
          <RadioGroup.Item key={option.value} value={option.value} alignItems="flex-start">
            <RadioGroup.ItemHiddenInput />
            <RadioGroup.ItemIndicator mt={0.5} />
            <RadioGroup.ItemText fontWeight="normal">
              {option.label}
              {option.hint && <Text color="fg.muted">{option.hint}</Text>}
            </RadioGroup.ItemText>
          </RadioGroup.Item>
        ))}
      </Stack>
    </RadioGroup.Root>
  );
}

function OnFailure() {
  const { t } = useWords();
  const [value, set] = useSetting("onFailure");
  return (
    <Radios
      label={t("wizard:settings.onFailure")}
      value={value}
      onChange={(to) => set(to as DraftSettings["onFailure"])}
      options={[
        {
          value: "continue_other_branches",
          label: t("wizard:settings.goOn"),
          hint: t("wizard:settings.goOnHint"),
        },
        { value: "pause", label: t("wizard:settings.pause"), hint: t("wizard:settings.pauseHint") },
      ]}
    />
  );
}

const VERSIONS = { configured: null, latest: true, own: false } as const;

function Version() {
  const { t } = useWords();
  const [value, set] = useSetting("runOnLatestVersion");
  const word = value === null ? "configured" : value ? "latest" : "own";
  return (
    <Radios
      label={t("wizard:settings.version")}
      value={word}
      onChange={(to) => set(VERSIONS[to as keyof typeof VERSIONS])}
      options={[
        { value: "configured", label: t("wizard:settings.versionConfigured") },
        { value: "latest", label: t("wizard:settings.versionLatest") },
        { value: "own", label: t("wizard:settings.versionOwn") },
      ]}
    />
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

function Stopping() {
  const { t } = useWords();
  const [value, set] = useSetting("stopRunningOnTerminate");
  return (
    <Check label={t("wizard:settings.stop")} checked={value} onChange={set}>
      {t("wizard:settings.stopHint")}
    </Check>
  );
}

/** Takes the extra runs into the bargain that repeated asset events would start. */
export function Duplicates() {
  const { t } = useWords();
  const [value, set] = useSetting("acceptDuplicateRuns");
  return (
    <Check label={t("wizard:settings.duplicates")} checked={value} onChange={set}>
      {t("wizard:settings.duplicatesHint")}
    </Check>
  );
}

/** Goes on although runs may be missing whose sensors were parsed without the package. */
export function UnknownOffsets() {
  const { t } = useWords();
  const [value, set] = useSetting("acceptUnknownOffsets");
  return (
    <Check label={t("wizard:settings.offsets")} checked={value} onChange={set}>
      {t("wizard:settings.offsetsHint")}
    </Check>
  );
}
