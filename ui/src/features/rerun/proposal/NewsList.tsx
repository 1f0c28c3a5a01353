import { List } from "@chakra-ui/react";

import { keyOf } from "../../../domain/runName";
import { useWords } from "../../../i18n/words";
import { RunLink } from "../../../ui/AirflowLink";
import type { News } from "./news";

/** So many are named; the others are counted. */
const NAMED = 10;

/** What is new, a run a line. */
export function NewsList({ news }: { news: readonly News[] }) {
  const { t } = useWords();
  return news.length === 0 ? null : (
    <List.Root ps={4} data-testid="proposal-news">
      {news.slice(0, NAMED).map(({ run, what }) => (
        <List.Item key={keyOf(run)} overflowWrap="anywhere">
          <strong>{run.dag_id}</strong>{" "}
          <RunLink dagId={run.dag_id} runId={run.run_id} color="inherit" textDecoration="underline" />
          {": "}
          {t(`record:proposal.news.${what}`)}
        </List.Item>
      ))}
      {news.length > NAMED && <List.Item>{t("wizard:freeze.more", { count: news.length - NAMED })}</List.Item>}
    </List.Root>
  );
}
