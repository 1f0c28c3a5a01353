import { Link } from "@chakra-ui/react";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";

import { hasEnded } from "../../../api/reruns";
import type { Member } from "../../../api/types";
import { NameAndId } from "../../../ui/dagNames";
import { WHOLE_CELL } from "../../../ui/table/cells";
import { Time } from "../../../ui/Time";
import { useWords } from "../../../i18n/words";
import { MemberActions } from "../actions/Actions";
import { useRecord } from "../context";
import { useCause } from "../words";
import { MemberStanding } from "../member/look";
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
    const named = (id: string, name: string, width: number) => ({ id, header: name, meta: { name, width } });
    const by = (id: keyof Member, name: string, width: number) => ({ ...named(id, name, width), accessorKey: id });
    return [
      { ...by("dag_id", t("word.dag"), 12), cell: ({ row }) => <Opener member={row.original} /> },
      { ...by("run_id", t("word.runId"), 16), cell: ({ row }) => <MemberRun member={row.original} maxWidth="100%" /> },
      {
        ...by("state", t("word.state"), 9.5),
        cell: ({ row }) => <MemberStanding member={row.original} data-testid="member-state" />,
      },
      {
        ...by("state_reason", t("word.reason"), 16),
        cell: ({ row }) => why(row.original.cause),
      },
      { ...named("waits", t("record:member.waitsFor"), 12), cell: ({ row }) => <WaitsFor member={row.original} /> },
      {
        ...by("final_run_state", t("record:member.atTheEnd"), 10),
        cell: ({ row }) => <AtTheEnd member={row.original} />,
      },
      { ...named("live", t("record:member.inAirflow"), 10), cell: ({ row }) => <InAirflow member={row.original} /> },
      {
        ...by("dispatched_at", t("record:member.dispatchedAt"), 10.5),
        cell: ({ row }) => <Time value={row.original.dispatched_at} />,
      },
      { ...by("ended_at", t("word.endedAt"), 10.5), cell: ({ row }) => <Time value={row.original.ended_at} /> },
      { ...named("duration", t("word.duration"), 7), cell: ({ row }) => <MemberDuration member={row.original} /> },
      by("depth", t("word.level"), 5),
      by("attempt", t("record:member.attempt"), 6),
      {
        id: "actions",
        header: t("record:member.actions"),
        meta: { name: t("record:member.actions"), width: 11, stays: true },
        cell: ({ row }) => <MemberActions member={row.original} size="2xs" />,
      },
    ];
  }, [t, why]);
}

function Opener({ member }: { member: Member }) {
  const { t } = useWords();
  const { open } = useRecord();
  return (
    <Link as="button" {...WHOLE_CELL} onClick={() => open(member.id)} aria-description={t("action.showDetails")}>
      <NameAndId name={member.dag_display_name} id={member.dag_id} />
    </Link>
  );
}
