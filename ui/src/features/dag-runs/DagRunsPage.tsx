import { Button, Stack, Text } from "@chakra-ui/react";
import { MdHistory } from "react-icons/md";
import { Link, Navigate, useLocation, useNavigate } from "react-router";

import { entryOf } from "../../host/parameters";
import { usePreferences } from "../../host/Host";
import { useDagRuns, useSourcesSince } from "../../api/dagRuns";
import { HealthNotice } from "../../ui/feedback/HealthNotice";
import { Loading, Nothing, ProblemNotice } from "../../ui/feedback/Notices";
import { Page } from "../../ui/Page";
import { Pager } from "../../ui/table/Pager";
import { keep, keptAddress } from "../../ui/kept";
import { shownDate } from "../../domain/dates";
import { useWords } from "../../i18n/words";
import { ANY, askedOf, type Filters, isFiltered, lastingPart, LIMIT, readFilters, writeFilters } from "./filters";
import { FilterBar } from "./FilterBar";
import { RunTable } from "./RunTable";

const PLACE = "filters:dag-runs";

/**
 * The Dag runs that a person may read; from one of them a rerun begins. Where the address has no filters, they are as at
 * the last visit.
 */
export function DagRunsPage() {
  const { search } = useLocation();
  const last = keptAddress(PLACE, search, lastingPart);
  return last === undefined ? <Runs search={search} /> : <Navigate replace to={`?${last}`} />;
}

function Runs({ search }: { search: string }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const filters = readFilters(search);
  const { dagId, taskId } = entryOf(search);
  const since = useSourcesSince();
  const runs = useDagRuns(askedOf(filters, since), { enabled: since !== undefined });
  const change = (changed: Partial<Filters>) => {
    const next = { ...filters, offset: 0, ...changed };
    if (next.dagId === "") {
      // On the tab of a Dag, its runs are meant here, and not at the next visit of the list of all.
      keep(PLACE, lastingPart(writeFilters(next)));
    }
    void navigate(`?${writeFilters(next)}`, { replace: true });
  };
  return (
    <Page
      title={t("runs:title")}
      actions={
        <Button asChild size="sm" variant="outline">
          <Link to="/records">
            <MdHistory aria-hidden="true" />
            {t("runs:records")}
          </Link>
        </Button>
      }
    >
      <Stack gap={4}>
        <HealthNotice />
        <Text color="fg.muted">
          {taskId && dagId ? t("runs:task", { dag: dagId, task: taskId }) : t("runs:intro")}{" "}
          <SourceWindow since={since} />
        </Text>
        <FilterBar filters={filters} since={since} onChange={change} />
        <ProblemNotice follows error={runs.error ?? runs.failureReason} retry={() => void runs.refetch()} />
        {runs.isPending && <Loading lines={10} />}
        {runs.data?.dag_runs.length === 0 && <NoRuns filters={filters} since={since} onChange={change} />}
        {runs.data !== undefined && runs.data.dag_runs.length > 0 && (
          <>
            <RunTable
              runs={runs.data.dag_runs}
              order={filters.order}
              onOrder={(order) => change({ order })}
              taskId={taskId}
            />
            <Pager
              offset={filters.offset}
              limit={LIMIT}
              total={runs.data.total_entries}
              onOffset={(offset) => change({ offset })}
            />
          </>
        )}
      </Stack>
    </Page>
  );
}

/** How many runs there are at all. */
const EVERYTHING = { limit: 0 };

function SourceWindow({ since }: { since: string | null | undefined }) {
  const { t } = useWords();
  const { timeZone } = usePreferences();
  if (since === undefined) {
    return null;
  }
  return since === null
    ? t("runs:window.unlimited")
    : t("runs:window.since", { since: `${shownDate(since, timeZone)} (${timeZone})` });
}

interface NoRunsProps {
  filters: Filters;
  since: string | null | undefined;
  onChange: (changed: Partial<Filters>) => void;
}

/** Why the list is empty: no run at all, none since the first date, or none that matches. */
function NoRuns({ filters, since, onChange }: NoRunsProps) {
  const { t } = useWords();
  const { timeZone } = usePreferences();
  const all = useDagRuns(EVERYTHING);
  if (isFiltered(filters)) {
    return <Nothing title={t("runs:empty.title")}>{t("runs:empty.filtered")}</Nothing>;
  }
  const from = filters.from === ANY ? undefined : (filters.from ?? since ?? undefined);
  if (all.data === undefined) {
    return <Loading lines={2} />;
  }
  if (from === undefined || all.data.total_entries === 0) {
    return <Nothing title={t("runs:empty.title")}>{t("runs:empty.never")}</Nothing>;
  }
  return (
    <Nothing title={t("runs:empty.title")}>
      <Stack gap={3} align="center">
        <Text>{t("runs:empty.window", { since: shownDate(from, timeZone) })}</Text>
        <Button size="sm" variant="outline" onClick={() => onChange({ from: ANY })}>
          {t("runs:empty.older")}
        </Button>
      </Stack>
    </Nothing>
  );
}
