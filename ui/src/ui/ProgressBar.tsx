import { Box, Flex, Text } from "@chakra-ui/react";

import type { Counts, MemberState } from "../api/types";
import { memberColor } from "./StateBadge";
import { useWords } from "../i18n/words";
import { mentioned, segmentsOf, tallyOf } from "../domain/progress";

/** How far a rerun is: a bar in the colours of its members' states, and the same in words. */
export function ProgressBar({ counts, width }: { counts: Counts; width?: string }) {
  const { t } = useWords();
  const text = useProgressText(counts);
  const { done, total } = tallyOf(counts);
  return (
    <Box minWidth={0} width={width}>
      <Flex
        role="progressbar"
        aria-label={t("record:progress.label")}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        aria-valuetext={text}
        title={text}
        height={2}
        gap="1px"
        borderRadius="full"
        overflow="hidden"
        bg="bg.emphasized"
      >
        {segmentsOf(counts).map(({ state, count }) => (
          <Box key={state} bg={colorOf(state)} style={{ flexGrow: count }} transition="flex-grow 0.4s" />
        ))}
      </Flex>
      <Text fontSize="xs" color="fg.muted" mt={1} aria-hidden="true">
        {text}
      </Text>
    </Box>
  );
}

/** "7 of 9 done, 1 failed" */
export function useProgressText(counts: Counts): string {
  const { t, word, list } = useWords();
  const parts = mentioned(counts).map(({ state, count }) =>
    t("record:progress.part", { count, state: word("memberState", state) }),
  );
  return list([t("record:progress.done", tallyOf(counts)), ...parts]);
}

/** What hasn't begun is the bar's own ground. */
function colorOf(state: MemberState): string {
  return state === "pending" ? "transparent" : `${memberColor(state)}.solid`;
}
