import { Alert, Box, Button, EmptyState, HStack, Skeleton, Stack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { MdInbox } from "react-icons/md";

import { asProblem } from "../../api/problem";
import { useWords } from "../../i18n/words";

interface ProblemNoticeProps {
  error: unknown;
  /** What was refused, where the reason's own title doesn't say it. */
  title?: string;
  /** Asks again; without it there is no button. */
  retry?: () => void;
  children?: ReactNode;
}

/** A refusal or an error where it belongs, with the server's sentence. Nothing where there is none. */
export function ProblemNotice({ error, title: given, retry, children }: ProblemNoticeProps) {
  const { t } = useWords();
  const problem = asProblem(error);
  if (problem === undefined) {
    return null;
  }
  const titles: Partial<Record<string, string>> = {
    no_answer: t("problem.no_answer"),
    busy: t("problem.busy"),
    not_found: t("problem.not_found"),
    forbidden: t("problem.forbidden"),
    forbidden_dags: t("problem.forbidden"),
    database_not_migrated: t("problem.database_not_migrated"),
    internal_error: t("problem.internal_error"),
  };
  const title = titles[problem.reason] ?? given ?? t("problem.title");
  return (
    <Alert.Root status={["no_answer", "busy"].includes(problem.reason) ? "warning" : "error"} data-testid="problem">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{title}</Alert.Title>
        <Alert.Description>
          {problem.reason === "no_answer" ? t("problem.no_answer_detail") : problem.detail}
        </Alert.Description>
        {children}
      </Alert.Content>
      {retry && (
        <Button size="sm" variant="outline" onClick={retry}>
          {t("action.reload")}
        </Button>
      )}
    </Alert.Root>
  );
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
