import { Button, HStack, Text } from "@chakra-ui/react";

import { useWords } from "../../i18n/words";

interface PagerProps {
  offset: number;
  limit: number;
  total: number;
  onOffset: (offset: number) => void;
}

/** Which part of a list is shown, and the ways to the parts beside it. */
export function Pager({ offset, limit, total, onOffset }: PagerProps) {
  const { t } = useWords();
  if (total === 0) {
    return null;
  }
  return (
    <HStack justify="flex-end" gap={3}>
      <Text color="fg.muted" aria-live="polite">
        {t("page", { from: offset + 1, to: Math.min(offset + limit, total), total })}
      </Text>
      <Button size="xs" variant="outline" disabled={offset === 0} onClick={() => onOffset(Math.max(0, offset - limit))}>
        {t("pager.previous")}
      </Button>
      <Button size="xs" variant="outline" disabled={offset + limit >= total} onClick={() => onOffset(offset + limit)}>
        {t("pager.next")}
      </Button>
    </HStack>
  );
}
