import { Flex, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";

import type { Member, RerunEvent } from "../../../api/types";
import { DataTable } from "../../../ui/table/DataTable";
import { ChoiceField, TextField } from "../../../ui/fields/Fields";
import { Nothing } from "../../../ui/feedback/Notices";
import { useWords } from "../../../i18n/words";
import type { MemberLook } from "../../../ui/StateBadge";
import { ExportMembers } from "../files/ExportMembers";
import { useLook } from "../member/look";
import { useCause } from "../words";
import { ChoosingProvider, useChoosing, useChoosingColumn } from "./choosing";
import { useMemberColumns } from "./memberColumns";
import { Repairs } from "./Repairs";

/** All members that the person may see, to sort, search and act on. */
export function MembersTable({ members, events }: { members: readonly Member[]; events: readonly RerunEvent[] }) {
  const { t, lookWord } = useWords();
  const plain = useMemberColumns(members);
  const [search, setSearch] = useState("");
  const [state, setState] = useState("");
  const why = useCause();
  const look = useLook();
  const shown = useMemo(
    () =>
      members.filter(
        (member) => (state === "" || look(member) === state) && matches(member, why(member.cause), search),
      ),
    [members, why, search, state, look],
  );
  const choosing = useChoosing(members, shown);
  const choose = useChoosingColumn();
  const canChoose = choosing.all.length > 0;
  const columns = useMemo(() => (canChoose ? [choose, ...plain] : plain), [canChoose, choose, plain]);
  const states = [...new Set<MemberLook>(members.map(look))];
  return (
    <Flex direction="column" gap={3} flex="1" minHeight={0}>
      <Flex role="search" aria-label={t("record:filter.label")} gap={3} align="flex-end" wrap="wrap">
        <TextField label={t("record:table.search")} value={search} onChange={setSearch} />
        <ChoiceField
          label={t("record:table.state")}
          value={state}
          any={t("all")}
          options={states.map((each) => ({ value: each, label: lookWord(each) }))}
          onChange={setState}
        />
        <Text color="fg.muted" ml="auto" aria-live="polite">
          {t("record:table.shown", { shown: shown.length, total: members.length })}
        </Text>
        <ExportMembers members={members} />
      </Flex>
      <Repairs chosen={choosing.chosen} members={members} events={events} onDone={choosing.clear} />
      {shown.length === 0 ? (
        <Nothing title={t("record:table.noMatch")} />
      ) : (
        <ChoosingProvider value={choosing}>
          <DataTable
            virtual
            label={t("record:table.label")}
            data={shown}
            columns={columns}
            rowId={({ id }) => String(id)}
          />
        </ChoosingProvider>
      )}
    </Flex>
  );
}

/** `reason` is as the table shows it. */
function matches(member: Member, reason: string, search: string): boolean {
  const words = search.trim().toLowerCase();
  const texts = [member.dag_id, member.run_id, member.original_run_id, reason, member.state_reason];
  return texts.some((text) => text?.toLowerCase().includes(words));
}
