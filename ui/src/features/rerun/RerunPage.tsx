import { Button, HStack, Text } from "@chakra-ui/react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { Link, useLocation, useNavigate, useParams } from "react-router";

import { parameters, query } from "../../host/parameters";
import { asProblem } from "../../api/problem";
import { useMembers } from "../../api/members";
import { hasEnded, useEvents, useLinks, useRerun } from "../../api/reruns";
import type { Rerun } from "../../api/types";
import { RerunBadge } from "../../ui/StateBadge";
import { Loading, Nothing, ProblemNotice } from "../../ui/feedback/Notices";
import { Page } from "../../ui/Page";
import { useWords } from "../../i18n/words";
import { ActionDialog, type Asked } from "./actions/ActionDialog";
import { RerunActions } from "./actions/Actions";
import { type RecordContext, RecordProvider } from "./context";
import { MemberDrawer } from "./member/MemberDrawer";
import { EndedNote, RecordFacts } from "./header/Facts";
import { RecordNotices } from "./header/RerunNotices";
import { RecordTabs, tabOf } from "./RerunTabs";
import { useNames } from "../../ui/names";

/** One rerun: how far it is, what each of its runs does, and what a person can do about it. It follows by itself. */
export function RecordPage() {
  const id = Number(useParams().id);
  return Number.isSafeInteger(id) && id > 0 ? <Asking key={id} id={id} /> : <Unknown />;
}

function Asking({ id }: { id: number }) {
  const { t } = useWords();
  const { rerunName } = useNames();
  const asked = useRerun(id);
  if (asked.data !== undefined) {
    return (
      <Record rerun={asked.data} problem={asked.error ?? asked.failureReason} retry={() => void asked.refetch()} />
    );
  }
  if (asProblem(asked.error)?.status === 404) {
    return <Unknown />;
  }
  const problem = asked.error ?? asked.failureReason;
  return (
    <Page title={rerunName({ id, name: null })}>
      <ProblemNotice error={problem} retry={() => void asked.refetch()}>
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
  rerun: Rerun;
  problem: unknown;
  retry: () => void;
}

function Record({ rerun, problem, retry }: RecordProps) {
  const { rerunName } = useNames();
  const ended = hasEnded(rerun);
  const members = useMembers(rerun.id, !ended);
  const links = useLinks(rerun.id);
  const events = useEvents(rerun.id, !ended);
  useLastLook(rerun.id, ended);
  const [asked, setAsked] = useState<Asked | null>(null);
  const place = usePlace();
  const { openMember, openTab } = place;
  const context = useMemo<RecordContext>(
    () => ({
      rerun,
      askRerun: (action) => setAsked({ action }),
      askMember: (member, action) => setAsked({ action, member }),
      open: openMember,
      openTab,
    }),
    [rerun, openMember, openTab],
  );
  const trouble = problem ?? members.error ?? members.failureReason ?? links.error ?? events.error;
  return (
    <RecordProvider value={context}>
      <Page
        fill
        title={
          <HStack gap={3} flexWrap="wrap">
            {rerunName(rerun)}
            <RerunBadge state={rerun.state} left={rerun.not_made_anew} data-testid="rerun-state" />
          </HStack>
        }
        actions={ended ? <EndedNote /> : <RerunActions />}
      >
        <RecordNotices members={members.data ?? []} problem={trouble} retry={retry} />
        <RecordFacts events={events.data ?? []} />
        <RecordTabs tab={place.tab} onTab={openTab} members={members.data} links={links.data} events={events.data} />
      </Page>
      <MemberDrawer
        member={members.data?.find(({ id }) => id === place.memberId)}
        members={members.data ?? []}
        links={links.data ?? []}
        onClose={place.closeMember}
      />
      <ActionDialog rerun={rerun} asked={asked} onClose={() => setAsked(null)} />
    </RecordProvider>
  );
}

/** When the rerun has just ended, the last look at its members may have been before that. */
function useLastLook(id: number, ended: boolean): void {
  const client = useQueryClient();
  const before = useRef(ended);
  useEffect(() => {
    if (ended && !before.current) {
      void client.invalidateQueries({ queryKey: ["members", id] });
      void client.invalidateQueries({ queryKey: ["events", id] });
    }
    before.current = ended;
  }, [client, id, ended]);
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
