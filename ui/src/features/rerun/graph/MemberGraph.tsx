import { Checkbox, Flex } from "@chakra-ui/react";
import { useCallback, useMemo, useState } from "react";

import type { Evidence, Link, Member } from "../../../api/types";
import { memberColor, type MemberLook } from "../../../ui/StateBadge";
import { Graph } from "../../../ui/graph/Graph";
import type { GraphMemory } from "../../../ui/graph/memory";
import type { Grouping, LabelledEdge } from "../../../ui/graph/types";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { useLook } from "../member/look";
import { MemberCard, OtherCard, useCardName } from "./MemberCard";
import { memberIdOf, memberKey, type MemberName, type RecordEdge, type Structure, structureOf } from "./structure";

const SIZE = { width: 272, height: 118 };
const NOT_SURE: readonly Evidence[] = ["assumed", "unresolved"];

interface MemberGraphProps {
  members: readonly Member[];
  links: readonly Link[];
  memory: GraphMemory;
}

/** The rerun's runs and what they read from each other, with where each of them stands. */
export function MemberGraph({ members, links, memory }: MemberGraphProps) {
  const { t } = useWords();
  const { open } = useRecord();
  const [others, setOthers] = useState(false);
  const names = useNames(members);
  const structure = useMemo(() => structureOf(names, links, !others), [names, links, others]);
  const byId = useMemo(() => new Map(members.map((member) => [member.id, member])), [members]);
  const memberOf = useCallback((key: string) => byId.get(memberIdOf(key) ?? -1), [byId]);
  const edges = useLabels(structure.edges, memberOf);
  const card = useCallback(
    (key: string) => {
      const member = memberOf(key);
      const other = structure.others[key];
      return member ? <MemberCard member={member} /> : other && <OtherCard run={other} />;
    },
    [memberOf, structure],
  );
  const look = useLook();
  const cardName = useCardName();
  const nameOf = useCallback(
    (key: string) => cardName(memberOf(key) ?? structure.others[key]),
    [cardName, memberOf, structure],
  );
  const colorOf = useCallback(
    (key: string) => {
      const member = memberOf(key);
      return member ? memberColor(look(member)) : "gray";
    },
    [memberOf, look],
  );
  const groups = useGroups(names, structure, memberOf);
  const onOpen = (key: string) => {
    const id = memberIdOf(key);
    if (id !== undefined) {
      open(id);
    }
  };
  const left = Object.keys(structure.others).length;
  return (
    <Flex direction="column" gap={3} flex="1" minHeight={0}>
      {left > 0 && (
        <Checkbox.Root size="sm" checked={others} onCheckedChange={({ checked }) => setOthers(checked === true)}>
          <Checkbox.HiddenInput />
          <Checkbox.Control />
          <Checkbox.Label>{t("record:graph.others", { count: left })}</Checkbox.Label>
        </Checkbox.Root>
      )}
      <Graph
        label={t("record:graph.label")}
        keysHint={t("record:graph.keys")}
        nodes={structure.nodes}
        edges={edges}
        size={SIZE}
        card={card}
        nameOf={nameOf}
        colorOf={colorOf}
        groups={groups}
        memory={memory}
        onOpen={onOpen}
      />
    </Flex>
  );
}

/** First those that a person has to look at. */
const STATES: readonly MemberLook[] = [
  "failed",
  "stopping",
  "running",
  "queued",
  "pending",
  "frozen",
  "terminated",
  "skipped",
  "released",
  "partly",
  "unchecked",
  "succeeded",
];
const OTHER = "other";

/** What a group of members shows. */
function useGroups(
  names: readonly MemberName[],
  { others }: Structure,
  memberOf: (key: string) => Member | undefined,
): Grouping {
  const { t, lookWord } = useWords();
  const look = useLook();
  const dags = useMemo(() => new Map(names.map(({ id, dag_id }) => [memberKey(id), dag_id])), [names]);
  const dagOf = useCallback((key: string) => dags.get(key) ?? others[key]?.dag_id ?? "", [dags, others]);
  const source = names.find(({ role }) => role === "source");
  return useMemo(
    () => ({
      dagOf,
      stateOf: (key) => {
        const member = memberOf(key);
        return member ? look(member) : OTHER;
      },
      states: [
        ...STATES.map((state) => ({ state, word: lookWord(state), color: memberColor(state) })),
        { state: OTHER, word: t("record:graph.notPart"), color: "gray" },
      ],
      keep: source && memberKey(source.id),
    }),
    [dagOf, memberOf, look, source, t, lookWord],
  );
}

/** What names the members: the same object until a name changes, so that a new state doesn't lay out the graph anew. */
function useNames(members: readonly Member[]): MemberName[] {
  const text = JSON.stringify(
    members.map(({ id, dag_id, run_id, original_run_id, logical_date, role }) => ({
      id,
      dag_id,
      run_id,
      original_run_id,
      logical_date,
      role,
    })),
  );
  return useMemo(() => JSON.parse(text) as MemberName[], [text]);
}

function useLabels(edges: readonly RecordEdge[], memberOf: (key: string) => Member | undefined): LabelledEdge[] {
  const { t, word, list } = useWords();
  // The ends of an edge have the same Dag in every answer, so that the labels change with the edges and the language.
  const dags = JSON.stringify(edges.map(({ from, to }) => [memberOf(from)?.dag_id, memberOf(to)?.dag_id]));
  return useMemo(() => {
    const ends = JSON.parse(dags) as [string | null, string | null][];
    return edges.map(({ from, to, kinds, evidence, through }, index) => {
      const words = list(kinds.map((kind) => word("linkKind", kind)));
      const how = list(evidence.map((each) => word("evidence", each)));
      const [before, after] = ends[index] ?? [];
      const title = t("graph.edge", { from: before ?? from, to: after ?? to, kind: words, evidence: how });
      return {
        from,
        to,
        label: through > 0 ? t("record:graph.throughShort", { count: through }) : words,
        title: through > 0 ? `${title}; ${t("record:graph.through", { count: through })}` : title,
        unsure: through > 0 || evidence.every((each) => NOT_SURE.includes(each)),
      };
    });
  }, [edges, dags, t, word, list]);
}
