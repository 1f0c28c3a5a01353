import { Box, Checkbox, Code, Heading, HStack, Stack, Text } from "@chakra-ui/react";

import { useNotificationTargets } from "../../../../api/installation";
import type { Condition, NotificationTarget } from "../../../../api/types";
import { Loading, ProblemNotice } from "../../../../ui/feedback/Notices";
import { useWords } from "../../../../i18n/words";
import { useWizard } from "../../state/context";
import { CONDITIONS } from "../../state/draft";
import { useDraft } from "../../state/store";

const OPTION = "[rerun_downstream] notification_targets";
const NONE: readonly Condition[] = [];

/** Whom to tell of what. */
export function NotificationSettings() {
  const { t } = useWords();
  const targets = useNotificationTargets();
  const found = targets.data?.notification_targets;
  return (
    <Stack as="section" gap={2} aria-label={t("wizard:notify.label")}>
      <Heading as="h3" size="sm">
        {t("wizard:notify.label")}
      </Heading>
      <ProblemNotice error={targets.error} retry={() => void targets.refetch()} />
      {targets.isPending && <Loading lines={2} />}
      {found?.length === 0 && (
        <Text color="fg.muted">
          {t("wizard:notify.none")} <Code>{OPTION}</Code>
        </Text>
      )}
      {found?.map((target) => (
        <Target key={target.name} target={target} />
      ))}
    </Stack>
  );
}

function Target({ target }: { target: NotificationTarget }) {
  const { t } = useWords();
  const { store } = useWizard();
  const on = useDraft(store, (draft) => draft.notifications[target.name] ?? NONE);
  return (
    <Box role="group" aria-label={target.name} borderWidth="1px" borderRadius="md" p={2}>
      <HStack gap={2}>
        <Text fontWeight="medium">{target.name}</Text>
        <Text color="fg.muted">{target.description || target.kind}</Text>
      </HStack>
      <HStack gap={4} mt={1} wrap="wrap">
        {CONDITIONS.map((condition) => (
          <Checkbox.Root
            key={condition}
            size="sm"
            colorPalette="brand"
            checked={on.includes(condition)}
            onCheckedChange={({ checked }) =>
              store.dispatch({ type: "notify", target: target.name, condition, wanted: checked === true })
            }
          >
            <Checkbox.HiddenInput />
            <Checkbox.Control />
            <Checkbox.Label fontWeight="normal">{t(`wizard:notify.${condition}`)}</Checkbox.Label>
          </Checkbox.Root>
        ))}
      </HStack>
    </Box>
  );
}
