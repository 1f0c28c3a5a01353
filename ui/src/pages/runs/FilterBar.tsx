import { Button, Field, Flex, Input, NativeSelect, Switch } from "@chakra-ui/react";
import { type ReactNode, useEffect, useState } from "react";

import { usePreferences } from "../../airflow/preferences";
import { fieldValue, momentOf } from "../../dates";
import { useWords } from "../../i18n/words";
import { ANY, type Filters, isFiltered } from "./filters";

const STATES = ["success", "failed", "running", "queued"] as const;
const TYPES = ["scheduled", "asset_triggered", "operator_triggered", "manual", "backfill"] as const;
const TYPING = 300; // milliseconds

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
      <DagField value={filters.dag} onChange={(dag) => onChange({ dag })} />
      <Labelled label={t("runs:filter.state")}>
        <Choice value={filters.state} any={t("runs:filter.anyState")} onChange={(state) => onChange({ state })}>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {word("airflowState", state)}
            </option>
          ))}
        </Choice>
      </Labelled>
      <Labelled label={t("runs:filter.runType")}>
        <Choice value={filters.runType} any={t("runs:filter.anyType")} onChange={(runType) => onChange({ runType })}>
          {TYPES.map((type) => (
            <option key={type} value={type}>
              {word("runType", type)}
            </option>
          ))}
        </Choice>
      </Labelled>
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
      {(isFiltered(filters) || filters.from !== undefined) && (
        <Button
          size="sm"
          variant="ghost"
          onClick={() =>
            onChange({ dag: "", state: "", runType: "", from: undefined, to: undefined, sources: false })
          }
        >
          {t("action.clearFilters")}
        </Button>
      )}
    </Flex>
  );
}

function Labelled({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Field.Root width="auto" gap={1}>
      <Field.Label fontSize="xs" color="fg.muted">
        {label}
      </Field.Label>
      {children}
    </Field.Root>
  );
}

interface ChoiceProps {
  value: string;
  any: string;
  onChange: (value: string) => void;
  children: ReactNode;
}

function Choice({ value, any, onChange, children }: ChoiceProps) {
  return (
    <NativeSelect.Root size="sm" width="10.5rem">
      <NativeSelect.Field value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{any}</option>
        {children}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

function DagField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useWords();
  const [typed, setTyped] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setTyped(value);
  }
  useEffect(() => {
    if (typed === value) {
      return undefined;
    }
    const timer = setTimeout(() => onChange(typed), TYPING);
    return () => clearTimeout(timer);
    // Only what is typed starts the clock: `onChange` is a new function at every rendering.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [typed]);
  return (
    <Labelled label={t("runs:filter.dag")}>
      <Input
        size="sm"
        width="14rem"
        type="search"
        placeholder={t("runs:filter.dagHint")}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </Labelled>
  );
}

interface DateFieldProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

function DateField({ label, value, onChange }: DateFieldProps) {
  const { timeZone } = usePreferences();
  return (
    <Labelled label={label}>
      <Input
        size="sm"
        width="13rem"
        type="datetime-local"
        value={fieldValue(value, timeZone)}
        onChange={(event) => onChange(momentOf(event.target.value, timeZone))}
      />
    </Labelled>
  );
}
