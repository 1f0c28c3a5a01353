import { useSentence } from "./sentences";
import type { Sentence } from "../api/types";

interface SaidProps {
  /** The server's English. */
  detail: string;
  /** The same as a code and parameters. */
  sentence?: Sentence | null;
}

/** What the server says, in the reader's language; in its English, and marked so, where these pages have no words for it. */
export function Said({ detail, sentence }: SaidProps) {
  const say = useSentence();
  return <>{say(sentence) ?? <span lang="en">{detail}</span>}</>;
}
