import type { Sentence } from "./types";

/** What came over the wire, if it is a sentence. */
export function sentenceOf(value: unknown): Sentence | null {
  return typeof value === "object" && value !== null && "code" in value && "params" in value
    ? (value as Sentence)
    : null;
}
