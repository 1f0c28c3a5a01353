import { Box, Button, Checkbox, Code, Heading, HStack, Stack, Text } from "@chakra-ui/react";

import { useNotificationTargets, useTargetTest } from "../../../../api/installation";
import type { Condition, NotificationTarget } from "../../../../api/types";
import { Loading, ProblemNotice } from "../../../../ui/feedback/Notices";
import { useDeliveryError } from "../../../../ui/sentences";
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
      <HStack gap={2} wrap="wrap">
        <Text fontWeight="medium">{target.name}</Text>
        <Text color="fg.muted">{target.description || target.kind}</Text>
        {target.may_test && <TargetTest target={target} />}
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

/** Sends a target a test, and says how the last one went. */
function TargetTest({ target }: { target: NotificationTarget }) {
  const { t } = useWords();
  const test = useTargetTest();
  const failure = useDeliveryError();
  const last = target.last_test;
  return (
    <HStack gap={2} ms="auto" wrap="wrap">
      {last && (
        <Text color="fg.muted" textStyle="sm" role="status">
          {t(`wizard:notify.tested.${last.state}`)}
          {last.error && ` (${failure(last.error)})`}
        </Text>
      )}
      <ProblemNotice error={test.error} />
      <Button
        size="xs"
        variant="outline"
        loading={test.isPending}
        aria-label={t("wizard:notify.testOf", { target: target.name })}
        onClick={() => test.mutate(target.name)}
      >
        {t("wizard:notify.test")}
      </Button>
    </HStack>
  );
}
