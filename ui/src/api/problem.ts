/** Why the server refused, or couldn't be asked. */

import { sentenceOf } from "./sentence";
import type { Sentence } from "./types";

export class Problem extends Error {
  constructor(
    /** HTTP status; 0: no answer, or none that is one. */
    readonly status: number,
    /**
     * The server's word for programs. Where no server of ours has spoken: `no_answer` (nothing came), `gateway` (something
     * in between answered in its place), `unreadable` (what came isn't of this API), `page_error` (a mistake of this page).
     */
    readonly reason: string,
    /** The server's sentence for people. */
    readonly detail: string,
    /** Further fields of the refusal, such as `changes` of a stale plan. */
    readonly extra: Readonly<Record<string, unknown>> = {},
    /** Milliseconds after which the server wants to be asked again, where it said so. */
    readonly askAgainAfter?: number,
    /** The same as a code and parameters; what isn't of our own server has none. */
    readonly sentence: Sentence | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** What stands between the page and the server, and answers when that one doesn't. */
const GATEWAY: readonly number[] = [502, 503, 504];

const TOO_MANY = 429;

/**
 * A refusal's body as a problem. Airflow and proxies in between may answer in other forms: a proxy's page is for nobody to
 * read, so that only its status is told.
 */
export function problemOf(status: number, body: unknown, headers?: Headers): Problem {
  const after = askAgainAfter(headers?.get("Retry-After"));
  if (typeof body === "object" && body !== null) {
    const { detail, reason, sentence, ...extra } = body as Record<string, unknown>;
    if (typeof detail === "string") {
      const word = typeof reason === "string" ? reason : wordOf(status);
      return new Problem(status, word, detail, extra, after, sentenceOf(sentence));
    }
  }
  return new Problem(status, wordOf(status), `HTTP ${status}`, {}, after);
}

function wordOf(status: number): string {
  return GATEWAY.includes(status) ? "gateway" : status === TOO_MANY ? "busy" : "refused";
}

/** `Retry-After` is in seconds or a date. */
function askAgainAfter(header: string | null | undefined): number | undefined {
  if (!header) {
    return undefined;
  }
  const seconds = Number(header);
  const after = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : 1000 * seconds;
  return Number.isNaN(after) ? undefined : Math.max(0, after);
}

/** Whether asking once more may help, because nobody has decided anything: for questions only, not for orders. */
export function mayPass({ reason }: Problem): boolean {
  return ["no_answer", "gateway", "busy"].includes(reason);
}

/** Whether an order may have been carried out although this page has no answer that says so. */
export function isUnsure({ reason }: Problem): boolean {
  return ["no_answer", "gateway", "unreadable"].includes(reason);
}

/**
 * The problem in anything that was thrown; undefined where nothing was. What isn't one already was thrown by this page's
 * own code: the server has nothing to do with it.
 */
export function asProblem(error: unknown): Problem | undefined {
  if (error === null || error === undefined) {
    return undefined;
  }
  return error instanceof Problem
    ? error
    : new Problem(0, "page_error", error instanceof Error ? error.message : JSON.stringify(error));
}
