/** What a page saves as files. */

import { vi } from "vitest";

import type { Host } from "../host/Host";

export interface Saved {
  name: string;
  text: () => Promise<string>;
}

/** The files that are saved from now on, in the place of the browser. */
export function savedFiles(host: Host): Saved[] {
  const made = new Map<string, Blob>();
  const saved: Saved[] = [];
  URL.createObjectURL = (blob: Blob) => {
    const url = `blob:${made.size}`;
    made.set(url, blob);
    return url;
  };
  URL.revokeObjectURL = () => undefined;
  vi.spyOn(host, "download").mockImplementation((url, name) => {
    const blob = made.get(url);
    saved.push({ name, text: async () => (blob === undefined ? "" : await textOf(blob)) });
  });
  return saved;
}

/** A text with its byte order mark, which `Blob.text` leaves out. */
async function textOf(blob: Blob): Promise<string> {
  const bytes = await new Promise<ArrayBuffer>((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.readAsArrayBuffer(blob);
  });
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
