import { Button, Code, Heading, HStack, Stack, Text } from "@chakra-ui/react";
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

/** An error of this page's own. What was entered may be the cause, so there is a way to begin without it. */
export function Crashed() {
  const { t } = useWords();
  const error = useRouteError();
  const reload = () => window.location.reload();
  const startOver = () => {
    forget(sessionStorage);
    forget(localStorage);
    reload();
  };
  return (
    <Stack as="main" padding={6} gap={3} align="start" role="alert">
      <Heading as="h1">{t("crashed.title")}</Heading>
      <Text>{t("crashed.detail")}</Text>
      <HStack>
        <Button size="sm" colorPalette="brand" onClick={reload}>
          {t("crashed.reload")}
        </Button>
        <Button size="sm" variant="outline" onClick={startOver}>
          {t("crashed.startOver")}
        </Button>
      </HStack>
      <Code>{String(error)}</Code>
    </Stack>
  );
}

/** Removes what these pages have stored in a place that they share with Airflow's. */
export function forget(storage: Storage): void {
  const ours = Object.keys(storage).filter((key) => key.startsWith("rerun-downstream:"));
  ours.forEach((key) => storage.removeItem(key));
}
