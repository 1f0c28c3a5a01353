import { Code, Heading, Stack, Text } from "@chakra-ui/react";
import { useRouteError } from "react-router";

import { useWords } from "../i18n/words";
import { Nothing } from "../ui/feedback/Notices";
import { Page } from "../ui/Page";

/** An address that leads nowhere. */
export function NotFound() {
  const { t } = useWords();
  return (
    <Page title={t("title")}>
      <Nothing title={t("notFound.title")}>{t("notFound.detail")}</Nothing>
    </Page>
  );
}

/** An error of this page's own. */
export function Crashed() {
  const { t } = useWords();
  const error = useRouteError();
  return (
    <Stack as="main" padding={6} role="alert">
      <Heading as="h1">{t("crashed.title")}</Heading>
      <Text>{t("crashed.detail")}</Text>
      <Code>{String(error)}</Code>
    </Stack>
  );
}
