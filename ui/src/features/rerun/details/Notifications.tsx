import { Badge, chakra, HStack, Stack, Text } from "@chakra-ui/react";

import { useNotifications } from "../../../api/reruns";
import type { Delivery, DeliveryState } from "../../../api/types";
import { Field, ProblemNotice } from "../../../ui/feedback/Notices";
import { Time } from "../../../ui/Time";
import { useDeliveryError } from "../../../ui/sentences";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";

const PALETTES: Record<DeliveryState, string> = { pending: "queued", sent: "success", failed: "failed" };

/** Whom the rerun tells of what, and what has become of it. */
export function Notifications() {
  const { t, list } = useWords();
  const { rerun } = useRecord();
  const told = useNotifications(rerun);
  if (rerun.notifications.length === 0) {
    return <Text color="fg.muted">{t("record:details.noNotifications")}</Text>;
  }
  return (
    <Stack gap={3}>
      <chakra.dl display="flex" flexWrap="wrap" columnGap={8} rowGap={2}>
        {rerun.notifications.map(({ target, on }) => (
          <Field key={target} label={target}>
            {list(on.map((condition) => t(`wizard:notify.${condition}`)))}
          </Field>
        ))}
      </chakra.dl>
      <ProblemNotice error={told.error} retry={() => void told.refetch()} />
      {told.data?.length === 0 && <Text color="fg.muted">{t("record:details.nothingTold")}</Text>}
      <Stack as="ul" gap={2} listStyleType="none" data-testid="deliveries">
        {told.data?.map((delivery) => (
          <DeliveryLine key={delivery.id} delivery={delivery} />
        ))}
      </Stack>
    </Stack>
  );
}

/** A notification: what it tells whom, how it stands, and why it hasn't arrived. */
function DeliveryLine({ delivery }: { delivery: Delivery }) {
  const { t } = useWords();
  const failure = useDeliveryError();
  const { target, condition, state, occurrences, tries, error } = delivery;
  return (
    <HStack as="li" gap={2} wrap="wrap" textStyle="sm">
      <Badge colorPalette={PALETTES[state]} variant="surface">
        {t(`record:details.delivery.${state}`)}
      </Badge>
      <Text fontWeight="medium">{target}</Text>
      <Text>
        {t(`wizard:notify.${condition}`)}
        {occurrences > 1 && ` × ${occurrences}`}
      </Text>
      <Text color="fg.muted">
        <Time value={delivery.ended_at ?? delivery.created_at} />
      </Text>
      {state !== "sent" && tries > 0 && <Text color="fg.muted">{t("record:details.tries", { count: tries })}</Text>}
      {error && <Text color="fg.muted">{failure(error)}</Text>}
    </HStack>
  );
}
