import { chakra, Heading, HStack, Stack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

import type { FutureRef, RunRef } from "../../../../api/types";
import { keyOf } from "../../../../domain/runName";
import { useWords } from "../../../../i18n/words";
import { DagName, useWholeDagName } from "../../../../ui/dagNames";
import { RunCell } from "../../parts/names";

/** What has a line of its own in a small window. */
const OWN_LINE = { gridColumn: { base: "1 / -1", md: "auto" } } as const;

/** A line of a run: its Dag, the run, a date, and what else there is to say. */
export const Row = chakra("li", {
  base: {
    display: "grid",
    gridTemplateColumns: {
      base: "fit-content(60%) minmax(0, 1fr)",
      md: "minmax(8rem, 14rem) minmax(10rem, 1fr) 10rem 9rem",
    },
    columnGap: 3,
    py: 1,
    borderTopWidth: "1px",
    alignItems: "center",
    overflowWrap: "anywhere",
    "& > *": { minWidth: 0 },
  },
});

/** The run in such a line. */
export const RunOfRow = chakra("span", { base: OWN_LINE });

/** A part of the review with its heading. */
export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack as="section" gap={1} aria-label={title}>
      <Heading as="h3" size="sm">
        {title}
      </Heading>
      {children}
    </Stack>
  );
}

/** How many runs a list of the review names. */
export const NAMED = 50;

/** Runs by name, the first of them. */
export function Names({ refs }: { refs: readonly (RunRef | FutureRef)[] }) {
  const { t } = useWords();
  return (
    <Stack as="ul" listStyleType="none" gap={0.5}>
      {refs.slice(0, NAMED).map((ref) => (
        <HStack as="li" key={keyOf(ref)} gap={2}>
          <CutDagName dagId={ref.dag_id} />
          <RunCell run={future(ref)} />
        </HStack>
      ))}
      {refs.length > NAMED && <Text color="fg.muted">{t("wizard:freeze.more", { count: refs.length - NAMED })}</Text>}
    </Stack>
  );
}

/** A run by what names it, whether Airflow has made it or not. */
export function future(ref: RunRef | FutureRef) {
  return "run_id" in ref ? ref : { ...ref, next: ref.next ?? false };
}

/** A Dag in a line that has no room for a long name. */
export function CutDagName({ dagId }: { dagId: string }) {
  return (
    <Text {...OWN_LINE} fontWeight="medium" truncate title={useWholeDagName()(dagId)}>
      <DagName dagId={dagId} />
    </Text>
  );
}
