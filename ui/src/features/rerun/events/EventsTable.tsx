import { Flex, Link } from "@chakra-ui/react";
import type { ColumnDef, SortingState } from "@tanstack/react-table";
import { useMemo, useState } from "react";

import type { EventAction, Member, RerunEvent } from "../../../api/types";
import { DataTable } from "../../../ui/table/DataTable";
import { WHOLE_CELL } from "../../../ui/table/cells";
import { Nothing } from "../../../ui/feedback/Notices";
import { Time } from "../../../ui/Time";
import { useSentence } from "../../../ui/sentences";
import { useWords } from "../../../i18n/words";
import { useRecord } from "../context";
import { ExportEvents } from "../files/ExportEvents";
import { Comments } from "./Comments";
import { byItself } from "./events";
import { useCause } from "../words";

interface EventsTableProps {
  events: readonly RerunEvent[];
  members: readonly Member[];
}

/** What happened, the newest first: who did what and when, to which run. */
export function EventsTable({ events, members }: EventsTableProps) {
  const { t } = useWords();
  const byId = useMemo(() => new Map(members.map((member) => [member.id, member])), [members]);
  const said = useSaid();
  const columns = useColumns(byId, said);
  const [sorting, setSorting] = useState<SortingState>([{ id: "at", desc: true }]);
  if (events.length === 0) {
    return (
      <>
        <Comments events={events} />
        <Nothing title={t("record:events.empty")} />
      </>
    );
  }
  return (
    <Flex direction="column" gap={3} flex="1" minHeight={0}>
      <Comments events={events} />
      <Flex justify="flex-end">
        <ExportEvents events={events} members={byId} {...said} />
      </Flex>
      <DataTable
        virtual
        label={t("record:events.label")}
        data={events}
        columns={columns}
        rowId={({ id }) => String(id)}
        options={{ state: { sorting }, onSortingChange: setSorting, enableSortingRemoval: false }}
      />
    </Flex>
  );
}

interface Said {
  action: (word: EventAction) => string;
  detail: (event: RerunEvent) => string;
}

/** The words for what happened, and for what a line tells besides. */
function useSaid(): Said {
  const { t } = useWords();
  const why = useCause();
  const say = useSentence();
  return useMemo(
    () => ({
      action: (word) => t(`record:event.${word}`, { defaultValue: word }),
      detail: ({ cause, detail, sentence }) => (cause ? why(cause) : (say(sentence) ?? detail ?? "")),
    }),
    [t, why, say],
  );
}

function useColumns(byId: ReadonlyMap<number, Member>, said: Said): ColumnDef<RerunEvent>[] {
  const { t } = useWords();
  return useMemo(() => {
    const named = (id: string, name: string, width: number) => ({ id, header: name, meta: { name, width } });
    const memberOf = (event: RerunEvent) => byId.get(event.member_id ?? -1);
    return [
      {
        ...named("at", t("record:events.at"), 11),
        accessorFn: ({ id }) => id, // in the order in which they were written
        cell: ({ row }) => <Time value={row.original.at} />,
      },
      {
        ...named("actor", t("record:events.actor"), 9),
        accessorFn: (event) => (byItself(event) ? t("record:events.itself") : event.actor),
      },
      { ...named("action", t("record:events.action"), 12), accessorFn: ({ action }) => said.action(action) },
      {
        ...named("run", t("record:events.run"), 12),
        accessorFn: (event) => memberOf(event)?.dag_display_name ?? "",
        cell: ({ row }) => <EventMember member={memberOf(row.original)} />,
      },
      {
        ...named("detail", t("record:events.detail"), 34),
        accessorFn: said.detail,
      },
    ];
  }, [t, said, byId]);
}

function EventMember({ member }: { member: Member | undefined }) {
  const { t } = useWords();
  const { open } = useRecord();
  if (member === undefined) {
    return <>{t("none")}</>;
  }
  const { dag_id: dag, dag_display_name: called, run_id: run } = member;
  const whole = [called === dag ? "" : dag, run].filter(Boolean).join(" / ") || undefined;
  return (
    <Link as="button" {...WHOLE_CELL} onClick={() => open(member.id)} title={whole}>
      {called}
    </Link>
  );
}
