import { Box, Flex, Text } from "@chakra-ui/react";

import type { Counts } from "../api/types";
import { memberColor, type MemberLook } from "./StateBadge";
import { useWords } from "../i18n/words";
import { mentioned, segmentsOf, tallyOf } from "../domain/progress";

interface ProgressBarProps {
  counts: Counts;
  queued?: number;
  width?: string;
}

/** How far a rerun is: a bar in the colours of its members' states, and the same in words, as `useProgressText` has it. */
export function ProgressBar({ counts, queued, width }: ProgressBarProps) {
  const { t } = useWords();
  const text = useProgressText(counts, queued);
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
        {segmentsOf(counts, queued).map(({ look, count }) => (
          <Box key={look} bg={colorOf(look)} style={{ flexGrow: count }} transition="flex-grow 0.4s" />
        ))}
      </Flex>
      <Text fontSize="xs" color="fg.muted" mt={1} aria-hidden="true">
        {text}
      </Text>
    </Box>
  );
}

/**
 * "7 of 9 done, 1 failed". `queued`: how many of the running ones Airflow hasn't begun; where nobody has asked it, they
 * aren't said to run.
 */
export function useProgressText(counts: Counts, queued?: number): string {
  const { t, lookWord, list } = useWords();
  const wordOf = (look: MemberLook) =>
    look === "running" && queued === undefined ? t("record:progress.begunOrNot") : lookWord(look);
  const parts = mentioned(counts, queued).map(({ look, count }) =>
    t("record:progress.part", { count, state: wordOf(look) }),
  );
  return list([t("record:progress.done", tallyOf(counts)), ...parts]);
}

/** What hasn't begun is the bar's own ground. */
function colorOf(look: MemberLook): string {
  return look === "pending" ? "transparent" : `${memberColor(look)}.solid`;
}
