import { Button, Flex, Switch } from "@chakra-ui/react";

import { ChoiceField, DateField, TextField } from "../../ui/fields/Fields";
import { useWords } from "../../i18n/words";
import { isFiltered, RERUN_STATES, type RecordsView } from "./query";

interface RecordsFiltersProps {
  view: RecordsView;
  onChange: (change: Partial<RecordsView>) => void;
  onClear: () => void;
}

/** Narrows the list of reruns. */
export function RecordsFilters({ view, onChange, onClear }: RecordsFiltersProps) {
  const { t, word } = useWords();
  return (
    <Flex role="search" aria-label={t("record:filter.label")} gap={3} flexWrap="wrap" align="flex-end">
      <ChoiceField
        label={t("record:filter.state")}
        value={view.state ?? ""}
        any={t("all")}
        options={RERUN_STATES.map((state) => ({ value: state, label: word("rerunState", state) }))}
        onChange={(value) => onChange({ state: RERUN_STATES.find((state) => state === value) })}
      />
      <TextField
        label={t("record:filter.search")}
        hint={t("record:filter.searchHint")}
        value={view.text ?? ""}
        onChange={(text) => onChange({ text: text || undefined })}
      />
      <TextField
        label={t("record:filter.dag")}
        hint={t("record:filter.dagHint")}
        value={view.dag ?? ""}
        onChange={(dag) => onChange({ dag: dag || undefined })}
      />
      <TextField
        label={t("record:filter.createdBy")}
        hint={t("record:filter.createdByHint")}
        value={view.createdBy ?? ""}
        onChange={(createdBy) => onChange({ createdBy: createdBy || undefined })}
      />
      <DateField label={t("record:filter.since")} value={view.since} onChange={(since) => onChange({ since })} />
      <DateField label={t("record:filter.until")} value={view.until} onChange={(until) => onChange({ until })} />
      <Switch.Root
        checked={view.frozen ?? false}
        onCheckedChange={({ checked }) => onChange({ frozen: checked || undefined })}
        colorPalette="brand"
        height={9}
      >
        <Switch.HiddenInput />
        <Switch.Control />
        <Switch.Label>{t("record:filter.frozen")}</Switch.Label>
      </Switch.Root>
      {isFiltered(view) && (
        <Button size="sm" variant="ghost" onClick={onClear}>
          {t("action.clearFilters")}
        </Button>
      )}
    </Flex>
  );
}
