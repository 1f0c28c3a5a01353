import { Alert, Box, Button, EmptyState, HStack, Skeleton, Stack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { MdInbox } from "react-icons/md";

import { logInAgain } from "../../api/login";
import { asProblem, isUnsure, mayPass, type Problem } from "../../api/problem";
import { Said } from "../Said";
import { useWords } from "../../i18n/words";

interface ProblemNoticeProps {
  error: unknown;
  /** What was refused, where the reason's own title doesn't say it. */
  title?: string;
  /** Asks again; without it there is no button. */
  retry?: () => void;
  /** Whether the page goes on asking by itself. */
  follows?: boolean;
  /** It was an order, not a question: without an answer nobody knows whether it was carried out. */
  ordered?: boolean;
  children?: ReactNode;
}

/** A refusal or an error where it belongs, with why. Nothing where there is none. */
export function ProblemNotice({
  error,
  title: given,
  retry,
  follows = false,
  ordered = false,
  children,
}: ProblemNoticeProps) {
  const { t } = useWords();
  const problem = asProblem(error);
  const said = useProblemText(ordered);
  if (problem === undefined) {
    return null;
  }
  const { title, detail } = said(problem, given);
  return (
    <Alert.Root status={mayPass(problem) ? "warning" : "error"} data-testid="problem">
      <Alert.Indicator />
      <Alert.Content minWidth={0}>
        <Alert.Title>{title}</Alert.Title>
        <Alert.Description overflowWrap="anywhere">
          {detail} {follows && mayPass(problem) && t("problem.follows")}
        </Alert.Description>
        {children}
      </Alert.Content>
      {problem.status === 401 ? (
        <Button size="sm" variant="outline" onClick={logInAgain}>
          {t("problem.login")}
        </Button>
      ) : (
        retry && (
          <Button size="sm" variant="outline" onClick={retry}>
            {t("action.reload")}
          </Button>
        )
      )}
    </Alert.Root>
  );
}

/** A problem in words. Where no server of ours has spoken, the words are the page's. */
function useProblemText(ordered: boolean): (problem: Problem, given?: string) => { title: string; detail: ReactNode } {
  const { t } = useWords();
  return (problem, given) => {
    const titles: Partial<Record<string, string>> = {
      no_answer: t("problem.no_answer"),
      gateway: t("problem.gateway"),
      unreadable: t("problem.unreadable"),
      page_error: t("problem.page_error"),
      not_authenticated: t("problem.not_authenticated"),
      busy: t("problem.busy"),
      changed_meanwhile: t("problem.changed_meanwhile"),
      not_found: t("problem.not_found"),
      forbidden: t("problem.forbidden"),
      forbidden_dags: t("problem.forbidden"),
      database_not_migrated: t("problem.database_not_migrated"),
      internal_error: t("problem.internal_error"),
    };
    const title = titles[problem.reason] ?? given ?? t("problem.title");
    if (problem.status === 401) {
      return { title: t("problem.not_authenticated"), detail: t("problem.not_authenticated_detail") };
    }
    if (problem.reason === "page_error") {
      return { title, detail: t("problem.page_error_detail", { message: problem.detail }) };
    }
    if (problem.reason === "changed_meanwhile") {
      return { title, detail: t("problem.changed_meanwhile_detail") };
    }
    if (!isUnsure(problem)) {
      return { title, detail: <Said detail={problem.detail} sentence={problem.sentence} /> };
    }
    const what = problem.status > 0 ? t("problem.gateway_detail", { status: problem.status }) : undefined;
    const then = ordered ? t("problem.unsure") : t("problem.no_answer_detail");
    return { title, detail: [what, then].filter(Boolean).join(" ") };
  };
}

/** What stands where there is nothing to list: what this is, and what to do. */
export function Nothing({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <EmptyState.Root>
      <EmptyState.Content>
        <EmptyState.Indicator>
          <MdInbox aria-hidden="true" />
        </EmptyState.Indicator>
        <EmptyState.Title as="h2">{title}</EmptyState.Title>
        <EmptyState.Description as="div" textAlign="center">
          {children}
        </EmptyState.Description>
      </EmptyState.Content>
    </EmptyState.Root>
  );
}

/** Lines that stand for what is on its way. */
export function Loading({ lines = 6 }: { lines?: number }) {
  const { t } = useWords();
  return (
    <Stack role="status" aria-label={t("loading")} gap={3} py={2}>
      {Array.from({ length: lines }, (_, index) => (
        <Skeleton key={index} height="1.75rem" />
      ))}
    </Stack>
  );
}

/** A label and its value, one under the other. */
export function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Box minWidth={0}>
      <Text as="dt" color="fg.muted" fontSize="xs">
        {label}
      </Text>
      <HStack as="dd" minHeight={6} overflowWrap="anywhere">
        {children}
      </HStack>
    </Box>
  );
}
