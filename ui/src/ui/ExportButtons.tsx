import { HStack, Text } from "@chakra-ui/react";
import { useState } from "react";
import { MdDownload } from "react-icons/md";

import { type Column, csv } from "../domain/files/csv";
import { useWords } from "../i18n/words";
import { BusyButton } from "./BusyButton";
import { ProblemNotice } from "./feedback/Notices";
import { type FileFormat, saveFile } from "./saveFile";

export interface Exported<Item> {
  items: readonly Item[];
  /** What of it isn't among the items, in sentences. */
  notes: readonly string[];
}

interface ExportButtonsProps<Item> {
  /** What is in the file, for those who can't see what stands beside the buttons. */
  label: string;
  /** How the file's name begins. */
  file: string;
  columns: readonly Column<Item>[];
  /** All that the file is to have; it may take a while. */
  read: () => Exported<Item> | Promise<Exported<Item>>;
  disabled?: boolean;
}

/** Saves a list as CSV, for a spreadsheet, or as JSON, with the objects of the REST API. */
export function ExportButtons<Item>({ label, file, columns, read, disabled }: ExportButtonsProps<Item>) {
  const { t } = useWords();
  const [busy, setBusy] = useState<FileFormat | null>(null);
  const [error, setError] = useState<unknown>(null);
  const save = async (format: FileFormat) => {
    setBusy(format);
    setError(null);
    try {
      const { items, notes } = await read();
      saveFile(file, format, format === "csv" ? csv(items, columns, notes) : JSON.stringify({ notes, items }, null, 2));
    } catch (found) {
      setError(found);
    } finally {
      setBusy(null);
    }
  };
  return (
    <HStack gap={2} wrap="wrap" role="group" aria-label={label}>
      <Text color="fg.muted" fontSize="xs" aria-hidden="true">
        {t("export.label")}
      </Text>
      {(["csv", "json"] as const).map((format) => (
        <BusyButton
          key={format}
          size="xs"
          variant="outline"
          title={label}
          disabled={disabled ?? false}
          busy={busy === format}
          onClick={() => void save(format)}
        >
          {busy !== format && <MdDownload aria-hidden="true" />}
          {t(`export.${format}`)}
        </BusyButton>
      ))}
      <ProblemNotice error={error} />
    </HStack>
  );
}
