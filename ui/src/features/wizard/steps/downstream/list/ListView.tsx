import { Flex, HStack, NativeSelect, Text } from "@chakra-ui/react";
import { getExpandedRowModel } from "@tanstack/react-table";
import { useMemo, useState } from "react";

import type { RunStatus } from "../../../../../api/types";
import { DataTable } from "../../../../../ui/table/DataTable";
import { Nothing } from "../../../../../ui/feedback/Notices";
import { useWords } from "../../../../../i18n/words";
import type { PlanIndex } from "../../../state/plan";
import { type Grouping, type ListRow, rowsOf } from "../../../state/rows";
import { useRunColumns } from "./RunColumns";

interface ListViewProps {
  index: PlanIndex;
  keys: readonly string[];
  search: string;
}

const GROUPS: readonly Grouping[] = ["none", "dag", "level"];
const EXPANDING = {
  getSubRows: (row: ListRow) => row.subRows,
  getExpandedRowModel: getExpandedRowModel<ListRow>(),
  initialState: { expanded: true as const },
};

/** The same runs as rows, to be sorted, filtered and grouped. */
export function ListView({ index, keys, search }: ListViewProps) {
  const { t, word } = useWords();
  const [grouping, setGrouping] = useState<Grouping>("none");
  const [status, setStatus] = useState<RunStatus | "">("");
  const rows = useMemo(
    () => rowsOf(index, keys, { search, status, grouping }),
    [index, keys, search, status, grouping],
  );
  const statuses = useMemo(
    () => [...new Set(keys.map((key) => index.runs.get(key)?.status).filter((each) => each !== undefined))],
    [index, keys],
  );
  const columns = useRunColumns();
  return (
    <Flex direction="column" gap={2} flex="1" minHeight={0}>
      <HStack gap={3} wrap="wrap">
        <Choice label={t("wizard:list.status")} value={status} onChange={(value) => setStatus(value as RunStatus | "")}>
          <option value="">{t("all")}</option>
          {statuses.map((each) => (
            <option key={each} value={each}>
              {word("status", each)}
            </option>
          ))}
        </Choice>
        <Choice label={t("wizard:list.group")} value={grouping} onChange={(value) => setGrouping(value as Grouping)}>
          {GROUPS.map((each) => (
            <option key={each} value={each}>
              {t(`wizard:list.groups.${each}`)}
            </option>
          ))}
        </Choice>
      </HStack>
      {rows.length === 0 ? (
        <Nothing title={t("wizard:list.nothing")} />
      ) : (
        <DataTable
          key={grouping}
          virtual
          label={t("wizard:list.label")}
          data={rows}
          columns={columns}
          rowId={(row) => row.id}
          options={EXPANDING}
        />
      )}
    </Flex>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  children: React.ReactNode;
}

function Choice({ label, value, onChange, children }: ChoiceProps) {
  return (
    <HStack as="label" gap={2}>
      <Text color="fg.muted">{label}</Text>
      <NativeSelect.Root size="xs" width="9rem">
        <NativeSelect.Field value={value} aria-label={label} onChange={(event) => onChange(event.target.value)}>
          {children}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
    </HStack>
  );
}
