import { Button, HStack, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";
import { Link, useLocation, useNavigate, useParams } from "react-router";

import { tallyOf } from "../../domain/progress";
import { useAirflowLooksAgain } from "../../host/airflowsPage";
import { host } from "../../host/Host";
import { parameters, query } from "../../host/parameters";
import { asProblem } from "../../api/problem";
import { useEstimate } from "../../api/estimate";
import type { Followed } from "../../api/following";
import { WAITING } from "../../api/pace";
import { hasEnded, isProposed, useLinks, useNotMadeAnew, useRecord } from "../../api/reruns";
import type { Estimate, Member, Rerun } from "../../api/types";
import { RerunBadge } from "../../ui/StateBadge";
import { Loading, Nothing, ProblemNotice } from "../../ui/feedback/Notices";
import { DagNamesProvider } from "../../ui/dagNames";
import { Page } from "../../ui/Page";
import { useWords } from "../../i18n/words";
import { ActionDialog, type Asked } from "./actions/ActionDialog";
import { RerunActions } from "./actions/Actions";
import { type RecordContext, RecordProvider } from "./context";
import { LiveRunsProvider } from "./member/LiveRuns";
import { type Left, LeftContext, runningOf } from "./member/look";
import { MemberDrawer } from "./member/MemberDrawer";
import { CopyRecord } from "./header/CopyRecord";
import { EndedNote, RecordFacts } from "./header/Facts";
import { NotifyMe } from "./header/NotifyMe";
import { RerunAgain } from "./header/RerunAgain";
import { ProposalNotice } from "./proposal/ProposalNotice";
import { RecordNotices } from "./header/RerunNotices";
import { RecordTabs, tabOf } from "./RerunTabs";
import { Spoken } from "./spoken/Spoken";
import { useNames } from "../../ui/names";

const NONE: readonly Member[] = [];

/** One rerun: how far it is, what each of its runs does, and what a person can do about it. It follows by itself. */
export function RecordPage() {
  const id = Number(useParams().id);
  return Number.isSafeInteger(id) && id > 0 ? <Asking key={id} id={id} /> : <Unknown />;
}

function Asking({ id }: { id: number }) {
  const { t } = useWords();
  const { rerunName } = useNames();
  const asked = useRecord(id);
  if (asked.data !== undefined) {
    return (
      <Record record={asked.data} problem={asked.error ?? asked.failureReason} retry={() => void asked.refetch()} />
    );
  }
  if (asProblem(asked.error)?.status === 404) {
    return <Unknown />;
  }
  const problem = asked.error ?? asked.failureReason;
  return (
    <Page title={rerunName({ id, name: null })}>
      <ProblemNotice follows error={problem} retry={() => void asked.refetch()}>
        <Link to="/records">{t("record:unknown.back")}</Link>
      </ProblemNotice>
      {!problem && <Loading lines={8} />}
    </Page>
  );
}

function Unknown() {
  const { t } = useWords();
  return (
    <Page title={t("record:title")}>
      <Nothing title={t("record:unknown.title")}>
        <Text mb={3}>{t("record:unknown.detail")}</Text>
        <Button asChild size="sm" variant="outline">
          <Link to="/records">{t("record:unknown.back")}</Link>
        </Button>
      </Nothing>
    </Page>
  );
}

interface RecordProps {
  record: Followed;
  problem: unknown;
  retry: () => void;
}

function Record({ record, problem, retry }: RecordProps) {
  const { t, word } = useWords();
  const { rerunName } = useNames();
  const { rerun } = record;
  const ended = hasEnded(rerun);
  const members = record.complete ? record.members : undefined;
  const events = record.complete ? record.events : undefined;
  const links = useLinks(rerun.id);
  const estimate = useEstimate(rerun);
  const critical = useCritical(estimate);
  const [asked, setAsked] = useState<Asked | null>(null);
  const place = usePlace();
  const { openMember, openTab } = place;
  const context = useMemo<RecordContext>(
    () => ({
      rerun,
      critical,
      askRerun: (action) => setAsked({ action }),
      askMember: (member, action) => setAsked({ action, member }),
      open: openMember,
      openTab,
    }),
    [rerun, critical, openMember, openTab],
  );
  const left = useLeft(rerun);
  useAirflowLooksAgain(useMemo(() => hasBegun(record.members), [record.members]));
  const trouble = problem ?? links.error ?? left.error;
  const retryAll = () => {
    retry();
    void links.refetch();
    left.retry();
  };
  return (
    <RecordProvider value={context}>
      <DagNamesProvider of={members ?? NONE}>
        <LeftContext.Provider value={left.left}>
          <LiveRunsProvider
            rerunId={rerun.id}
            seen={record.cursor}
            every={isProposed(rerun) ? WAITING : undefined}
            always={useRunning(record.members)}
          >
            <Page
              fill
              name={t("record:tabTitle", {
                id: rerun.id,
                state: word("rerunState", rerun.state),
                ...tallyOf(rerun.counts),
              })}
              title={
                <HStack gap={3} flexWrap="wrap" overflowWrap="anywhere">
                  {rerunName(rerun)}
                  <RerunBadge state={rerun.state} left={rerun.not_made_anew} data-testid="rerun-state" />
                </HStack>
              }
              actions={
                <>
                  <CopyRecord members={members} />
                  <RerunAgain />
                  <NotifyMe />
                  {ended ? <EndedNote /> : <RerunActions />}
                </>
              }
            >
              <Spoken rerun={rerun} members={members ?? NONE} />
              <RecordNotices members={members ?? []} problem={trouble} retry={retryAll} />
              <RecordFacts events={events ?? []} estimate={estimate} members={members ?? []} />
              {isProposed(rerun) && members && <ProposalNotice members={members} />}
              <RecordTabs tab={place.tab} onTab={openTab} members={members} links={links.data} events={events} />
            </Page>
            <MemberDrawer
              member={members?.find(({ id }) => id === place.memberId)}
              members={members ?? []}
              links={links.data ?? []}
              events={events ?? []}
              onClose={place.closeMember}
            />
            <ActionDialog
              rerun={rerun}
              members={members}
              events={record.events}
              asked={asked}
              onClose={() => setAsked(null)}
            />
          </LiveRunsProvider>
        </LeftContext.Provider>
      </DagNamesProvider>
    </RecordProvider>
  );
}

/** Whether the run that Airflow's page around this one is about has been touched; undefined: it isn't about one of these. */
function hasBegun(members: readonly Member[]): boolean | undefined {
  if (!host().onTab()) {
    return undefined;
  }
  const mine = members.find(({ dag_id, run_id }) => run_id !== null && host().isAbout(dag_id, run_id));
  return mine && mine.state !== "pending" && mine.state !== "frozen";
}

/** The members on the critical path: the same object until they are others. */
function useCritical(estimate: Estimate | undefined): ReadonlySet<number> {
  const ids = (estimate?.path ?? []).flatMap(({ member }) => (member ? [member.id] : [])).join();
  return useMemo(() => new Set(ids === "" ? [] : ids.split(",").map(Number)), [ids]);
}

/** The running members: the same object until they are others. */
function useRunning(members: readonly Member[]): readonly number[] {
  const ids = runningOf(members).join();
  return useMemo(() => (ids === "" ? [] : ids.split(",").map(Number)), [ids]);
}

/** The members that have left something as it was; it is asked only where the record says that there are some. */
function useLeft({ id, not_made_anew: count }: Rerun) {
  const asked = count > 0;
  const { data, error, failureReason, refetch } = useNotMadeAnew(id, count, asked);
  const problem = asked ? (error ?? failureReason) : null;
  const known = !asked || (data !== undefined && problem === null);
  const left = useMemo<Left>(
    () => ({ ids: new Set(data?.flatMap(({ member_id }) => member_id ?? []) ?? []), known }),
    [data, known],
  );
  return { left, error: problem, retry: () => void (asked && refetch()) };
}

/** Where in the record the person is, as the address keeps it. */
function usePlace() {
  const { search } = useLocation();
  const navigate = useNavigate();
  return useMemo(() => {
    const found = parameters(search);
    const tab = tabOf(found.get("tab"));
    const go = (changed: { tab?: string; member?: number }) => {
      void navigate(`?${query({ tab, ...changed })}`, { replace: true });
    };
    return {
      tab,
      memberId: Number(found.get("member")),
      openTab: (name: string) => go({ tab: name }),
      openMember: (member: number) => go({ member }),
      closeMember: () => go({ member: undefined }),
    };
  }, [search, navigate]);
}
