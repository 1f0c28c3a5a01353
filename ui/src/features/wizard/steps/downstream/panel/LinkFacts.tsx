import { Badge, Box, HStack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

import type { Evidence, Link, LinkKind } from "../../../../../api/types";
import { sentenceOf } from "../../../../../api/sentence";
import { useSentence } from "../../../../../ui/sentences";
import { useWords } from "../../../../../i18n/words";
import { DagName } from "../../../../../ui/dagNames";
import { RunCell } from "../../../parts/names";
import { SeenFacts, useToDo } from "./SeenFacts";

interface KnownProps {
  kind: LinkKind;
  evidence: Evidence;
  children: ReactNode;
}

/** The frame of a link or an edge: of which kind it is, and how it is known. */
export function Known({ kind, evidence, children }: KnownProps) {
  const { word } = useWords();
  return (
    <Box borderWidth="1px" borderRadius="md" p={2}>
      <HStack wrap="wrap" gap={1.5}>
        <Badge>{word("linkKind", kind)}</Badge>
        <Badge variant="outline" title={word("evidenceMeaning", evidence)}>
          {word("evidence", evidence)}
        </Badge>
      </HStack>
      {children}
    </Box>
  );
}

/** How a run was reached: from which run, by what, how that is known, and what was seen. */
export function LinkFacts({ link }: { link: Link }) {
  const { t, word } = useWords();
  return (
    <Known kind={link.kind} evidence={link.evidence}>
      <Text mt={1} overflowWrap="anywhere">
        {t("wizard:links.from")}{" "}
        <strong>
          <DagName dagId={link.upstream.dag_id} />
        </strong>{" "}
        <RunCell run={link.upstream} />
      </Text>
      <Text color="fg.muted" fontSize="xs">
        {word("evidenceMeaning", link.evidence)}
      </Text>
      <SeenFacts facts={useSeen(link)} />
    </Known>
  );
}

/** The tasks at the two ends, and what was seen. */
function useSeen(link: Link): Record<string, unknown> {
  const { t } = useWords();
  const toDo = useToDo();
  const say = useSentence();
  const { hidden, to_do, advice, sentence, ...via } = link.via;
  const { from_task_id, to_task_id } = link;
  const why = say(sentenceOf(sentence)) ?? via.why;
  const told = hidden === true ? { hidden: t("wizard:links.hidden") } : { ...via, why, advice: toDo(to_do, advice) };
  return { from_task_id, to_task_id, ...told };
}
