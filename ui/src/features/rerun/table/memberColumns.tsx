import { Link, Text } from "@chakra-ui/react";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";

import { hasEnded } from "../../../api/reruns";
import type { Member } from "../../../api/types";
import { MemberBadge } from "../../../ui/StateBadge";
import { Time } from "../../../ui/Time";
import { useWords } from "../../../i18n/words";
import { MemberActions } from "../actions/Actions";
import { useRecord } from "../context";
import { useCause } from "../words";
import { AtTheEnd, InAirflow, MemberDuration, MemberRun, WaitsFor } from "../member/MemberParts";

/** The columns of a record's table. Those in which nobody has anything to say are left out. */
export function useMemberColumns(members: readonly Member[]): ColumnDef<Member>[] {
  const all = useAllColumns();
  const { rerun } = useRecord();
  const left = [
    !members.some(({ cause }) => cause) && "state_reason",
    !members.some(({ allowed_actions }) => allowed_actions.length > 0) && "actions",
    hasEnded(rerun) && "waits",
  ];
  const without = left.filter(Boolean).join();
  return useMemo(() => all.filter(({ id }) => !without.split(",").includes(id ?? "")), [all, without]);
}

function useAllColumns(): ColumnDef<Member>[] {
  const { t } = useWords();
  const why = useCause();
  return useMemo(() => {
    const named = (id: string, name: string) => ({ id, header: () => <OneLine text={name} />, meta: { name } });
    const by = (id: keyof Member, name: string) => ({ ...named(id, name), accessorKey: id });
    return [
      { ...by("dag_id", t("word.dag")), cell: ({ row }) => <Opener member={row.original} /> },
      { ...by("run_id", t("word.runId")), cell: ({ row }) => <MemberRun member={row.original} maxWidth="20rem" /> },
      {
        ...by("state", t("word.state")),
        cell: ({ row }) => <MemberBadge state={row.original.state} data-testid="member-state" />,
      },
      {
        ...by("state_reason", t("word.reason")),
        cell: ({ row }) => <Cut text={why(row.original.cause)} />,
      },
      {
        ...named("actions", t("record:member.actions")),
        cell: ({ row }) => <MemberActions member={row.original} size="2xs" />,
      },
      { ...named("waits", t("record:member.waitsFor")), cell: ({ row }) => <WaitsFor member={row.original} /> },
      { ...by("final_run_state", t("record:member.atTheEnd")), cell: ({ row }) => <AtTheEnd member={row.original} /> },
      { ...named("live", t("record:member.inAirflow")), cell: ({ row }) => <InAirflow member={row.original} /> },
      {
        ...by("dispatched_at", t("record:member.dispatchedAt")),
        cell: ({ row }) => <Time value={row.original.dispatched_at} />,
      },
      { ...by("ended_at", t("word.endedAt")), cell: ({ row }) => <Time value={row.original.ended_at} /> },
      { ...named("duration", t("word.duration")), cell: ({ row }) => <MemberDuration member={row.original} /> },
      by("depth", t("word.level")),
      by("attempt", t("record:member.attempt")),
    ];
  }, [t, why]);
}

function Opener({ member }: { member: Member }) {
  const { t } = useWords();
  const { open } = useRecord();
  return (
    <Link as="button" color="fg.info" onClick={() => open(member.id)} title={t("action.showDetails")}>
      {member.dag_id}
    </Link>
  );
}

function OneLine({ text }: { text: string }) {
  return (
    <Text as="span" whiteSpace="nowrap">
      {text}
    </Text>
  );
}

function Cut({ text }: { text: string }) {
  return (
    <Text truncate maxWidth="18rem" title={text}>
      {text}
    </Text>
  );
}
