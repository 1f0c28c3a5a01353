import { Button, Flex, Switch } from "@chakra-ui/react";

import { ChoiceField, DateField, TextField } from "../../ui/fields/Fields";
import { useWords } from "../../i18n/words";
import { ANY, FAILED_FIRST, type Filters, isFiltered, NO_FILTER, ORDER } from "./filters";

const STATES = ["success", "failed", "running", "queued"] as const;
const TYPES = ["scheduled", "asset_triggered", "operator_triggered", "manual", "backfill"] as const;

interface FilterBarProps {
  filters: Filters;
  /** The beginning of the window of sources. */
  since: string | null | undefined;
  onChange: (change: Partial<Filters>) => void;
}

export function FilterBar({ filters, since, onChange }: FilterBarProps) {
  const { t, word } = useWords();
  const from = filters.from === ANY ? undefined : (filters.from ?? since ?? undefined);
  return (
    <Flex role="search" aria-label={t("runs:filter.label")} gap={3} flexWrap="wrap" align="flex-end">
      <TextField
        label={t("runs:filter.dag")}
        hint={t("runs:filter.dagHint")}
        value={filters.dagId || filters.dag}
        onChange={(dag) => onChange({ dag, dagId: "" })}
      />
      {(["run", "tag", "owner"] as const).map((name) => (
        <TextField
          key={name}
          label={t(`runs:filter.${name}`)}
          hint={t(`runs:filter.${name}Hint`)}
          value={filters[name]}
          onChange={(value) => onChange({ [name]: value })}
        />
      ))}
      <ChoiceField
        label={t("runs:filter.state")}
        value={filters.state}
        any={t("runs:filter.anyState")}
        options={STATES.map((state) => ({ value: state, label: word("airflowState", state) }))}
        onChange={(state) => onChange({ state })}
      />
      <ChoiceField
        label={t("runs:filter.runType")}
        value={filters.runType}
        any={t("runs:filter.anyType")}
        options={TYPES.map((type) => ({ value: type, label: word("runType", type) }))}
        onChange={(runType) => onChange({ runType })}
      />
      <DateField label={t("runs:filter.from")} value={from} onChange={(value) => onChange({ from: value ?? ANY })} />
      <DateField label={t("runs:filter.to")} value={filters.to} onChange={(to) => onChange({ to })} />
      <Switch.Root
        checked={filters.sources}
        onCheckedChange={({ checked }) => onChange({ sources: checked })}
        colorPalette="brand"
        height={9}
      >
        <Switch.HiddenInput />
        <Switch.Control />
        <Switch.Label>{t("runs:filter.sources")}</Switch.Label>
      </Switch.Root>
      <Switch.Root
        checked={filters.order === FAILED_FIRST}
        onCheckedChange={({ checked }) => onChange({ order: checked ? FAILED_FIRST : ORDER })}
        colorPalette="brand"
        height={9}
      >
        <Switch.HiddenInput />
        <Switch.Control />
        <Switch.Label>{t("runs:filter.failedFirst")}</Switch.Label>
      </Switch.Root>
      {(isFiltered(filters) || filters.from !== undefined) && (
        <Button size="sm" variant="ghost" onClick={() => onChange(NO_FILTER)}>
          {t("action.clearFilters")}
        </Button>
      )}
    </Flex>
  );
}
