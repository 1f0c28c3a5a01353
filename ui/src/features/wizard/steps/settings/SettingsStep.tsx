import { Field, Input, Link, SimpleGrid, Stack, Textarea } from "@chakra-ui/react";
import { useState } from "react";

import { consentsTo, SETTING_NAMES, settingOf } from "../../../../domain/settings";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";
import type { Draft } from "../../state/draft";
import { LONGEST_NAME, useProposedName } from "../../state/name";
import { useDraft } from "../../state/store";
import { NotificationSettings } from "./NotificationSettings";
import { SettingField } from "./SettingField";

const LONGEST = 500;

/** Step 3: how the rerun is carried out. */
export function SettingsStep() {
  const { index } = useWizard();
  const warned = index?.plan.warnings.map(({ code }) => code) ?? [];
  const names = (...kinds: string[]) => SETTING_NAMES.filter((name) => kinds.includes(settingOf(name).kind));
  const fields = (of: typeof SETTING_NAMES) => of.map((name) => <SettingField key={name} name={name} />);
  return (
    <SimpleGrid columns={{ base: 1, md: 2 }} gap={8} maxWidth="64rem" pb={4} px={0.5}>
      <Stack gap={5}>
        <NameAndReason />
        {fields(names("number", "choice"))}
      </Stack>
      <Stack gap={5}>
        {fields(names("flag"))}
        {fields(consentsTo(warned))}
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
  const proposed = useProposedName();
  // Who has the caret in the field must not find another text in it than they have begun to change.
  const [held, hold] = useState<string>();
  const set = (patch: Partial<Pick<Draft, "name" | "reason">>) => store.dispatch({ type: "set", patch });
  return (
    <>
      <Field.Root>
        <Field.Label>{t("word.name")}</Field.Label>
        <Input
          size="sm"
          maxLength={LONGEST_NAME}
          value={name ?? held ?? proposed}
          onFocus={() => hold(proposed)}
          onBlur={() => hold(undefined)}
          onChange={(event) => set({ name: event.target.value })}
        />
        <Field.HelperText>
          {t("wizard:settings.nameHint")}{" "}
          {name === null ? (
            t("wizard:settings.proposed")
          ) : (
            <Link as="button" onClick={() => set({ name: null })}>
              {t("wizard:settings.proposeAgain")}
            </Link>
          )}
        </Field.HelperText>
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
