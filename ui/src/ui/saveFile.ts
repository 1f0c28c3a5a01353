/** Files that the page makes itself. */

import { host } from "../host/Host";

export type FileFormat = "csv" | "json";

const TYPES: Record<FileFormat, string> = { csv: "text/csv;charset=utf-8", json: "application/json" };

/** Milliseconds until the browser has certainly begun to save. */
const SAVED = 60_000;

/** Saves a text as a file of this name, to which the moment and the format are added. */
export function saveFile(name: string, format: FileFormat, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: TYPES[format] }));
  host().download(url, `${name}-${stamp(new Date())}.${format}`);
  setTimeout(() => URL.revokeObjectURL(url), SAVED);
}

/** A moment as a part of a file's name: `20260105T093000Z`. */
export function stamp(moment: Date): string {
  return moment.toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
}
