import { Box, Button, List } from "@chakra-ui/react";
import { useState } from "react";

import { keyOf } from "../../../domain/runName";
import { useWords } from "../../../i18n/words";
import { RunLink } from "../../../ui/AirflowLink";
import type { News } from "./news";

/** So many are named at first; the others are counted, and named when somebody asks for them. */
const NAMED = 10;

/** What is new, a run a line. */
export function NewsList({ news }: { news: readonly News[] }) {
  const { t } = useWords();
  const [whole, setWhole] = useState(false);
  if (news.length === 0) {
    return null;
  }
  const named = whole ? news : news.slice(0, NAMED);
  return (
    <>
      <Box maxHeight="40vh" overflowY="auto">
        <List.Root ps={4} data-testid="proposal-news">
          {named.map(({ run, what }) => (
            <List.Item key={keyOf(run)} overflowWrap="anywhere">
              <strong>{run.dag_id}</strong>{" "}
              <RunLink dagId={run.dag_id} runId={run.run_id} color="inherit" textDecoration="underline" />
              {": "}
              {t(`record:proposal.news.${what}`)}
            </List.Item>
          ))}
        </List.Root>
      </Box>
      {named.length < news.length && (
        <Button size="2xs" variant="outline" bg="bg" color="fg" alignSelf="start" onClick={() => setWhole(true)}>
          {t("wizard:freeze.more", { count: news.length - named.length })}
        </Button>
      )}
    </>
  );
}
