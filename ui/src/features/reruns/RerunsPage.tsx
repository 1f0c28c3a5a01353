import { Button, Flex, Stack, Text } from "@chakra-ui/react";
import { MdList } from "react-icons/md";
import { Link, Navigate, useLocation, useNavigate } from "react-router";

import { hasEnded, isProposed, useReruns } from "../../api/reruns";
import type { Rerun } from "../../api/types";
import { Loading, Nothing, ProblemNotice } from "../../ui/feedback/Notices";
import { SilenceNotices } from "../../ui/feedback/SilenceNotices";
import { Page } from "../../ui/Page";
import { Pager } from "../../ui/table/Pager";
import { keep, keptAddress } from "../../ui/kept";
import { useWords } from "../../i18n/words";
import { ExportReruns } from "./ExportReruns";
import { RecordsFilters } from "./RerunsFilters";
import { filtersOf, isFiltered, lastingPart, LIMIT, type RecordsView, searchOf, viewOf } from "./query";
import { RecordsTable } from "./RerunsTable";

const PLACE = "filters:reruns";

/**
 * All reruns that a person may see, the newest first. What is filtered, sorted and paged stands in the address; where
 * that says nothing, it is as it was at the last visit.
 */
export function RecordsPage() {
  const { search } = useLocation();
  const last = keptAddress(PLACE, search, lastingPart);
  return last === undefined ? <Reruns view={viewOf(search)} /> : <Navigate replace to={`?${last}`} />;
}

function Reruns({ view }: { view: RecordsView }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const reruns = useReruns(filtersOf(view));
  const show = (next: RecordsView) => {
    const address = searchOf(next);
    keep(PLACE, lastingPart(address));
    void navigate(`?${address}`, { replace: true });
  };
  const clear = () => show({ order: view.order, offset: 0 });
  const found = reruns.data;
  return (
    <Page title={t("record:title")} actions={<ToRuns />}>
      <Stack gap={4}>
        <SilenceNotices watching={found?.reruns.some(moves) ?? false} />
        <RecordsFilters view={view} onChange={(change) => show({ ...view, offset: 0, ...change })} onClear={clear} />
        <ProblemNotice follows error={reruns.error ?? reruns.failureReason} retry={() => void reruns.refetch()} />
        {reruns.isPending && !reruns.failureReason && <Loading lines={8} />}
        {found?.reruns.length === 0 &&
          (isFiltered(view) || view.offset > 0 ? <NoMatch onClear={clear} /> : <FirstUse />)}
        {found !== undefined && found.reruns.length > 0 && (
          <>
            <RecordsTable
              reruns={found.reruns}
              order={view.order}
              onOrder={(order) => show({ ...view, order, offset: 0 })}
            />
            <Flex justify="space-between" gap={3} wrap="wrap">
              <ExportReruns view={view} total={found.total_entries} />
              <Pager
                offset={view.offset}
                limit={LIMIT}
                total={found.total_entries}
                onOffset={(offset) => show({ ...view, offset })}
              />
            </Flex>
          </>
        )}
      </Stack>
    </Page>
  );
}

const moves = (rerun: Rerun) => !hasEnded(rerun) && !isProposed(rerun);

function ToRuns() {
  const { t } = useWords();
  return (
    <Button asChild size="sm" variant="outline">
      <Link to="/dag-runs">
        <MdList aria-hidden="true" />
        {t("record:list.toRuns")}
      </Link>
    </Button>
  );
}

function FirstUse() {
  const { t } = useWords();
  return (
    <Nothing title={t("record:list.empty.title")}>
      <Stack gap={3} align="center" maxWidth="34rem">
        <Text>{t("record:list.empty.what")}</Text>
        <Text>{t("record:list.empty.how")}</Text>
        <Button asChild size="sm" colorPalette="brand">
          <Link to="/dag-runs">{t("record:list.empty.start")}</Link>
        </Button>
      </Stack>
    </Nothing>
  );
}

function NoMatch({ onClear }: { onClear: () => void }) {
  const { t } = useWords();
  return (
    <Nothing title={t("record:list.noMatch.title")}>
      <Stack gap={3} align="center">
        <Text>{t("record:list.noMatch.detail")}</Text>
        <Button size="sm" variant="outline" onClick={onClear}>
          {t("action.clearFilters")}
        </Button>
      </Stack>
    </Nothing>
  );
}
