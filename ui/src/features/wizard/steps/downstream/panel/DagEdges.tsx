import { Heading, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";

import { useDagEdges } from "../../../../../api/dagRuns";
import type { DagEdge } from "../../../../../api/types";
import { Loading, ProblemNotice } from "../../../../../ui/feedback/Notices";
import { useSentence } from "../../../../../ui/sentences";
import { useWords } from "../../../../../i18n/words";
import { Known } from "./LinkFacts";
import { SeenFacts, useToDo } from "./SeenFacts";

/** What is upstream and downstream of a Dag by what the Dags define, folded away until somebody asks. */
export function DagEdges({ dagId }: { dagId: string }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <details data-testid="dag-edges" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("wizard:edges.show", { dag: dagId })}</summary>
      {open && <Edges dagId={dagId} />}
    </details>
  );
}

function Edges({ dagId }: { dagId: string }) {
  const { t } = useWords();
  const edges = useDagEdges(dagId);
  if (edges.isError) {
    return <ProblemNotice error={edges.error} retry={() => void edges.refetch()} />;
  }
  if (edges.data === undefined) {
    return <Loading lines={4} />;
  }
  const { hidden_dags: hidden, edges: found } = edges.data;
  const upstream = found.filter((edge) => edge.downstream_dag_id === dagId);
  return (
    <Stack gap={3} mt={2}>
      <Direction label={t("wizard:edges.upstream")} edges={upstream} />
      <Direction label={t("wizard:edges.downstream")} edges={found.filter((edge) => !upstream.includes(edge))} />
      {hidden > 0 && <Text color="fg.muted">{t("wizard:edges.hidden", { count: hidden })}</Text>}
    </Stack>
  );
}

function Direction({ label, edges }: { label: string; edges: readonly DagEdge[] }) {
  const { t } = useWords();
  return (
    <Stack as="section" gap={2} aria-label={label}>
      <Heading as="h3" size="xs">
        {label}
      </Heading>
      {edges.length === 0 && <Text color="fg.muted">{t("wizard:edges.nothing")}</Text>}
      {edges.map((edge, at) => (
        <EdgeFacts key={at} edge={edge} />
      ))}
    </Stack>
  );
}

function EdgeFacts({ edge }: { edge: DagEdge }) {
  const { t } = useWords();
  const toDo = useToDo();
  const say = useSentence();
  const end = (dagId: string | null, taskId: string | null) =>
    [dagId ?? t("wizard:edges.open"), ...(taskId === null ? [] : [taskId])].join(".");
  return (
    <Known kind={edge.kind} evidence={edge.evidence}>
      <Text mt={1} overflowWrap="anywhere">
        {end(edge.upstream_dag_id, edge.from_task_id)} → {end(edge.downstream_dag_id, edge.to_task_id)}
      </Text>
      <SeenFacts facts={{ ...edge.via, why: say(edge.sentence) ?? edge.why, advice: toDo(edge.to_do, edge.advice) }} />
    </Known>
  );
}
