import { Box, Flex, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";
import { MdVisibilityOff } from "react-icons/md";

import { useProof } from "../../../api/proof";
import type { Member, Proof } from "../../../api/types";
import { useWords } from "../../../i18n/words";
import { Loading, Nothing, ProblemNotice } from "../../../ui/feedback/Notices";
import { ChoiceField, TextField } from "../../../ui/fields/Fields";
import { useRecord } from "../context";
import { countOf, foundIn, type FoundFilter, type FoundKind, leftOut, matches, membersByRun } from "./findings";
import { FoundList } from "./FoundList";
import { ProofHead } from "./ProofHead";

/** Whether everything was made anew, in order: the verdict, what it rests on, and what isn't proven. */
export function ProofTab({ members }: { members: readonly Member[] }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const asked = useProof(rerun);
  if (asked.data === undefined) {
    return asked.error ? (
      <ProblemNotice error={asked.error} retry={() => void asked.refetch()} />
    ) : (
      <Box>
        <Text color="fg.muted">{t("record:proof.working")}</Text>
        <Loading lines={8} />
      </Box>
    );
  }
  return (
    <Flex direction="column" gap={4} flex="1 0 auto">
      <ProblemNotice error={asked.error} retry={() => void asked.refetch()} />
      <ProofHead proof={asked.data} checking={asked.isFetching} check={() => void asked.refetch()} />
      <Findings proof={asked.data} members={members} />
    </Flex>
  );
}

const KINDS = ["violation", "accepted", "not_provable", "older"] as const satisfies readonly FoundKind[];

function Findings({ proof, members }: { proof: Proof; members: readonly Member[] }) {
  const { t } = useWords();
  const [filter, setFilter] = useState<FoundFilter>({ kind: "", search: "" });
  const all = useMemo(() => foundIn(proof), [proof]);
  const shown = useMemo(() => all.filter((found) => matches(found, filter)), [all, filter]);
  const memberOf = useMemo(() => membersByRun(members), [members]);
  const kinds = KINDS.filter((kind) => countOf(kind, proof.counts) > 0);
  if (all.length === 0) {
    return (
      <>
        <Remarks proof={proof} />
        {kinds.length === 0 && <Nothing title={t("record:proof.nothing")} />}
      </>
    );
  }
  return (
    <>
      <Flex role="search" aria-label={t("record:filter.label")} gap={3} align="flex-end" wrap="wrap">
        <TextField
          label={t("record:proof.search")}
          value={filter.search}
          onChange={(search) => setFilter({ ...filter, search })}
        />
        <ChoiceField
          label={t("record:proof.kind")}
          value={filter.kind}
          any={t("all")}
          options={kinds.map((kind) => ({ value: kind, label: t(`record:proof.outcome.${kind}`) }))}
          onChange={(kind) => setFilter({ ...filter, kind: kind as FoundKind | "" })}
        />
        <Text color="fg.muted" ml="auto" aria-live="polite">
          {t("record:proof.shown", { shown: shown.length, total: all.length })}
        </Text>
      </Flex>
      <Remarks proof={proof} />
      {shown.length === 0 ? (
        <Nothing title={t("record:proof.noMatch")} />
      ) : (
        <FoundList found={shown} memberOf={memberOf} />
      )}
    </>
  );
}

/** What of the proof isn't listed. */
function Remarks({ proof }: { proof: Proof }) {
  const { t } = useWords();
  const hidden = proof.hidden_findings + proof.hidden_older;
  const rest = leftOut(proof);
  return (
    <Box _empty={{ display: "none" }}>
      {hidden > 0 && (
        <Flex gap={1} align="center" color="fg.info" data-testid="proof-hidden">
          <MdVisibilityOff aria-hidden="true" />
          <Text>
            {t("record:proof.hidden", {
              findings: t("record:proof.findings", { count: hidden }),
              runs: t("record:proof.unreadable", { count: proof.hidden_runs }),
            })}
          </Text>
        </Flex>
      )}
      {rest > 0 && <Text data-testid="proof-left-out">{t("record:proof.leftOut", { count: rest })}</Text>}
    </Box>
  );
}
