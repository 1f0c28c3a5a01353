import { Badge, Box, Button, chakra, Flex, HStack, Link, Text } from "@chakra-ui/react";
import type { IconType } from "react-icons";
import {
  MdCheckCircle,
  MdDownload,
  MdError,
  MdHelp,
  MdHourglassEmpty,
  MdRefresh,
  MdRemoveCircleOutline,
  MdReportProblem,
} from "react-icons/md";

import { type FileFormat, IN_FILE, proofFile } from "../../../api/proof";
import { hasEnded } from "../../../api/reruns";
import type { Proof, ProofCounts, ProofVerdict } from "../../../api/types";
import { host } from "../../../host/Host";
import { useWords } from "../../../i18n/words";
import { BusyButton } from "../../../ui/BusyButton";
import { Field } from "../../../ui/feedback/Notices";
import { Time } from "../../../ui/Time";
import { useRecord } from "../context";
import { leftOut, sameCounts } from "./findings";

const LOOKS: Record<ProofVerdict, { palette: string; icon: IconType }> = {
  proven: { palette: "success", icon: MdCheckCircle },
  accepted: { palette: "warning", icon: MdCheckCircle },
  not_provable: { palette: "warning", icon: MdHelp },
  violated: { palette: "failed", icon: MdError },
  open: { palette: "queued", icon: MdHourglassEmpty },
  nothing_checked: { palette: "none", icon: MdRemoveCircleOutline },
};

/** Of these the solid colour is too light for white text. */
const DARKER: Partial<Record<string, string>> = { warning: "amber.700" };

interface ProofHeadProps {
  proof: Proof;
  checking: boolean;
  check: () => void;
}

/** The verdict with what it rests on, now and at the end of the rerun, and the proof as a file. */
export function ProofHead({ proof, checking, check }: ProofHeadProps) {
  const { t } = useWords();
  const { kept } = proof;
  const differs = kept !== null && !(kept.verdict === proof.verdict && sameCounts(kept.counts, proof.counts));
  return (
    <Flex direction="column" gap={3}>
      <Flex gap={4} wrap="wrap" align="stretch">
        <Look title={t("record:proof.now")} look={proof} data-testid="proof-now" />
        {differs && <Look title={t("record:proof.atTheEnd")} look={kept} beside={proof} data-testid="proof-kept" />}
      </Flex>
      <Flex gap={3} wrap="wrap" align="center">
        <BusyButton size="sm" variant="outline" onClick={check} busy={checking}>
          {!checking && <MdRefresh aria-hidden="true" />}
          {t(checking ? "record:proof.checking" : "record:proof.check")}
        </BusyButton>
        <FileLink format="json" />
        <FileLink format="csv" />
        {kept !== null && !differs && (
          <Text color="fg.muted" data-testid="proof-same">
            {t("record:proof.same")} <Time value={kept.at} />
          </Text>
        )}
        {leftOut(proof) > IN_FILE && <Text color="fg.muted">{t("record:proof.inFile", { count: IN_FILE })}</Text>}
        <Listed />
      </Flex>
    </Flex>
  );
}

type Shown = Pick<Proof, "at" | "verdict" | "counts">;

interface LookProps {
  title: string;
  look: Shown;
  /** Another look: what differs from it stands out. */
  beside?: Shown;
  "data-testid": string;
}

const COUNTS = [
  "links",
  "tasks",
  "orders",
  "proven",
  "not_provable",
  "violations",
  "accepted",
  "open",
  "older",
] as const;

/** Those that are of interest only when there are any. */
const RARE = new Set<keyof ProofCounts>(["accepted", "open", "older"]);

function Look({ title, look, beside, ...rest }: LookProps) {
  const { t } = useWords();
  const counts = COUNTS.filter((name) => !RARE.has(name) || look.counts[name] > 0 || beside?.counts[name]);
  return (
    <Flex
      as="section"
      direction="column"
      gap={3}
      flex="1 1 20rem"
      p={3}
      borderWidth="1px"
      borderRadius="md"
      aria-label={title}
      {...rest}
    >
      <Flex gap={3} align="center" wrap="wrap">
        <VerdictBadge look={look} />
        <Text color="fg.muted">
          {title} · <Time value={look.at} />
        </Text>
      </Flex>
      <Text>
        {useMeaning(look)}
        {look.counts.older > 0 && ` ${t("record:proof.older", { count: look.counts.older })}`}
      </Text>
      <chakra.dl display="flex" flexWrap="wrap" columnGap={6} rowGap={2}>
        {counts.map((name) => (
          <Field key={name} label={t(`record:proof.count.${name}`)}>
            <Text as="span" fontWeight={beside && beside.counts[name] !== look.counts[name] ? "bold" : undefined}>
              {look.counts[name]}
            </Text>
          </Field>
        ))}
      </chakra.dl>
    </Flex>
  );
}

function VerdictBadge({ look: { verdict } }: { look: Shown }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const { palette, icon: Icon } = LOOKS[verdict];
  const name = verdict === "open" && hasEnded(rerun) ? "open_final" : verdict;
  return (
    <Badge colorPalette={palette} variant="solid" bg={DARKER[palette]} size="lg" data-testid="verdict">
      <Icon aria-hidden="true" />
      {t(`record:proof.verdict.${name}`)}
    </Badge>
  );
}

/** What a verdict means here, in a sentence. */
function useMeaning({ verdict, counts }: Shown): string {
  const { t } = useWords();
  const { rerun } = useRecord();
  switch (verdict) {
    case "violated":
      return t("record:proof.meaning.violated", { count: counts.violations });
    case "not_provable":
      return t("record:proof.meaning.not_provable", { count: counts.not_provable });
    case "accepted":
      return t("record:proof.meaning.accepted", { count: counts.accepted });
    case "open":
      return hasEnded(rerun)
        ? t("record:proof.meaning.open_final", { count: counts.open })
        : t("record:proof.meaning.open", { count: counts.open });
    default:
      return t(`record:proof.meaning.${verdict}`);
  }
}

function FileLink({ format }: { format: FileFormat }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const { url, name } = proofFile(rerun.id, format);
  return (
    <Button asChild size="sm" variant="outline">
      <a
        href={url}
        download={name}
        onClick={(event) => {
          event.preventDefault();
          host().download(url, name);
        }}
      >
        <MdDownload aria-hidden="true" />
        {t(`record:proof.file.${format}`)}
      </a>
    </Button>
  );
}

/** The way to what the record lists as not made anew. */
function Listed() {
  const { t } = useWords();
  const { rerun, openTab } = useRecord();
  return rerun.not_made_anew > 0 ? (
    <HStack gap={1} color="fg.warning">
      <MdReportProblem aria-hidden="true" />
      <Box>
        <Link as="button" color="inherit" textDecoration="underline" onClick={() => openTab("left")}>
          {t("record:left.note", { count: rerun.not_made_anew })}
        </Link>
      </Box>
    </HStack>
  ) : null;
}
