import { Badge, Box, Button, HStack, Stack, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";

import type { Review, RunRef } from "../../../../api/types";
import { Time } from "../../../../ui/Time";
import { useWords } from "../../../../i18n/words";
import { keyOf } from "../../../../domain/runName";
import { RunCell } from "../../parts/names";
import type { PlanIndex } from "../../state/plan";
import { useTaskCount } from "../../state/useTaken";
import { FrozenRuns } from "./FrozenRuns";
import { CutDagName, Names, Row, RunOfRow, Section } from "./parts";

const PAGE = 200;

interface ReviewRunsProps {
  index: PlanIndex;
  review: Review;
}

/** Wave by wave what is rerun, then what is frozen. */
export function ReviewRuns({ index, review }: ReviewRunsProps) {
  const { t } = useWords();
  const [shown, setShown] = useState(PAGE);
  const stopped = useMemo(() => new Set(review.stopped.map(keyOf)), [review.stopped]);
  const total = review.waves.reduce((sum, wave) => sum + wave.length, 0);
  const waves = useMemo(() => firstRuns(review.waves, shown), [review.waves, shown]);
  return (
    <>
      {stopped.size > 0 && (
        <Section title={t("wizard:review.stopped", { count: stopped.size })}>
          <Text color="fg.muted">{t("wizard:review.stoppedHint")}</Text>
          <Names refs={review.stopped} />
        </Section>
      )}
      <Section title={t("wizard:review.order", { count: total })}>
        <Text color="fg.muted">{t("wizard:review.orderHint")}</Text>
        <Stack as="ol" listStyleType="none" gap={3} mt={1}>
          {waves.map((wave, at) => (
            <Wave key={at} number={at + 1} wave={wave} index={index} stopped={stopped} />
          ))}
        </Stack>
        {total > shown && (
          <Button size="xs" variant="outline" alignSelf="start" onClick={() => setShown(shown + 2 * PAGE)}>
            {t("wizard:review.more", { count: total - shown })}
          </Button>
        )}
      </Section>
      <FrozenRuns index={index} review={review} />
    </>
  );
}

/** The waves up to so many runs. */
export function firstRuns(waves: readonly (readonly RunRef[])[], count: number): RunRef[][] {
  const found: RunRef[][] = [];
  let left = count;
  for (const wave of waves) {
    if (left <= 0) {
      break;
    }
    found.push(wave.slice(0, left));
    left -= wave.length;
  }
  return found;
}

interface WaveProps {
  number: number;
  wave: readonly RunRef[];
  index: PlanIndex;
  stopped: ReadonlySet<string>;
}

function Wave({ number, wave, index, stopped }: WaveProps) {
  const { t } = useWords();
  return (
    <Box as="li" borderWidth="1px" borderRadius="md" px={3} pb={1}>
      <HStack gap={2} py={1.5}>
        <Text fontWeight="semibold">{t("wizard:review.wave", { number })}</Text>
        <Text color="fg.muted">{t("count.runs", { count: wave.length })}</Text>
      </HStack>
      <ul>
        {wave.map((ref) => (
          <WaveRun key={keyOf(ref)} ref_={ref} index={index} stops={stopped.has(keyOf(ref))} />
        ))}
      </ul>
    </Box>
  );
}

function WaveRun({ ref_: ref, index, stops }: { ref_: RunRef; index: PlanIndex; stops: boolean }) {
  const { t } = useWords();
  const key = keyOf(ref);
  const run = index.runs.get(key);
  return (
    <Row>
      <CutDagName dagId={ref.dag_id} />
      <RunOfRow>
        <RunCell run={ref} />
      </RunOfRow>
      <Time value={run?.run_after} />
      <HStack gap={2}>
        {key === index.source ? (
          <Text>{t("count.tasks", { count: index.plan.source.task_ids.length })}</Text>
        ) : (
          run && <Tasks run={run} />
        )}
        {key === index.source && <Badge>{t("word.source")}</Badge>}
        {stops && <Badge colorPalette="orange">{t("wizard:review.willStop")}</Badge>}
      </HStack>
    </Row>
  );
}

function Tasks({ run }: { run: Parameters<typeof useTaskCount>[0] }) {
  const { t } = useWords();
  return <Text>{t("count.tasks", { count: useTaskCount(run).count })}</Text>;
}
