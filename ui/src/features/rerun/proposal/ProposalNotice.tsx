import { Alert, HStack, Stack, Text } from "@chakra-ui/react";
import { useQueryClient } from "@tanstack/react-query";

import { useProposalReview } from "../../../api/proposals";
import { lookAgain } from "../../../api/reruns";
import type { Member, ProposalReview } from "../../../api/types";
import { BusyButton } from "../../../ui/BusyButton";
import { Said } from "../../../ui/Said";
import { useWords } from "../../../i18n/words";
import { Loading, ProblemNotice } from "../../../ui/feedback/Notices";
import { Warnings } from "../../../ui/feedback/Warnings";
import { Time } from "../../../ui/Time";
import { useRecord } from "../context";
import { newsOf } from "./news";
import { NewsList } from "./NewsList";

/** What an approval of the proposal would do now, and what has changed since it was made; `members` are what it proposes. */
export function ProposalNotice({ members }: { members: readonly Member[] }) {
  const { t } = useWords();
  const { rerun } = useRecord();
  const client = useQueryClient();
  const review = useProposalReview(rerun.id);
  const again = () => {
    void review.refetch();
    void lookAgain(client, rerun.id);
  };
  if (review.data === undefined || review.isError) {
    return review.isError ? <ProblemNotice error={review.error} retry={again} /> : <Loading lines={2} />;
  }
  const warnings = review.data.review?.warnings ?? [];
  return (
    <Stack as="section" gap={2} mt={3} mb={1} aria-label={t("record:proposal.label")} data-testid="proposal">
      <Standing review={review.data} members={members}>
        <HStack gap={3} wrap="wrap" mt={1}>
          <BusyButton size="xs" variant="outline" bg="bg" color="fg" busy={review.isFetching} onClick={again}>
            {t("record:proposal.again")}
          </BusyButton>
          <Text>
            {t("record:proposal.asOf")} <Time value={new Date(review.dataUpdatedAt).toISOString()} />
          </Text>
        </HStack>
      </Standing>
      {warnings.length > 0 && <Warnings warnings={warnings} folded />}
    </Stack>
  );
}

interface StandingProps {
  review: ProposalReview;
  members: readonly Member[];
  children: React.ReactNode;
}

function Standing({ review, members, children }: StandingProps) {
  const { t } = useWords();
  const { rerun } = useRecord();
  // To who sees but a part of it, the server doesn't tell what has changed, and a plan of that part would mislead.
  const news = review.stale === null ? [] : newsOf(review, members);
  const word = review.refusal ? "refused" : standing(review, news.length > 0);
  return (
    <Alert.Root status={word === "same" ? "success" : "warning"} size="sm" data-testid="proposal-standing">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{t(`record:proposal.standing.${word}`)}</Alert.Title>
        {review.refusal && (
          <Text overflowWrap="anywhere">
            <Said {...review.refusal} />
          </Text>
        )}
        {news.length > 0 && word !== "changed" && <Text>{t("record:proposal.standing.changed")}</Text>}
        <NewsList news={news} />
        {review.stale !== null && <Would review={review} />}
        {!rerun.allowed_actions.includes("approve") && <Text>{t("record:proposal.who")}</Text>}
        {children}
      </Alert.Content>
    </Alert.Root>
  );
}

function standing({ stale }: ProposalReview, differs: boolean): "same" | "changed" | "unknown" {
  return stale === null ? "unknown" : stale || differs ? "changed" : "same";
}

/** How much an approval would do. */
export function Would({ review: { review } }: { review: ProposalReview }) {
  const { t } = useWords();
  if (review === null) {
    return null;
  }
  const { stopped, frozen, waves } = review;
  const sentences = [
    t("record:proposal.would.rerun", {
      count: new Set(waves.flat().map(({ dag_id, run_id }) => `${dag_id} ${run_id}`)).size,
    }),
    stopped.length > 0 && t("record:proposal.would.stop", { count: stopped.length }),
    frozen.length > 0 && t("record:proposal.would.hold", { count: frozen.length }),
  ];
  return <Text data-testid="proposal-would">{sentences.filter(Boolean).join(" ")}</Text>;
}
