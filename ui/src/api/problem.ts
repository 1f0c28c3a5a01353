/** Why the server refused, or couldn't be asked. */

export class Problem extends Error {
  constructor(
    /** HTTP status; 0: no answer. */
    readonly status: number,
    /** The server's word for programs; `no_answer` where there was none. */
    readonly reason: string,
    /** The server's sentence for people. */
    readonly detail: string,
    /** Further fields of the refusal, such as `changes` of a stale plan. */
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** A refusal's body as a problem; Airflow and proxies in between may answer in other forms. */
export function problemOf(status: number, body: unknown): Problem {
  if (typeof body === "object" && body !== null) {
    const { detail, reason, ...extra } = body as Record<string, unknown>;
    if (typeof detail === "string") {
      return new Problem(status, typeof reason === "string" ? reason : "refused", detail, extra);
    }
  }
  return new Problem(status, "refused", typeof body === "string" && body !== "" ? body : `HTTP ${status}`);
}

/** The problem in anything that was thrown; undefined where nothing was. */
export function asProblem(error: unknown): Problem | undefined {
  if (error === null || error === undefined) {
    return undefined;
  }
  return error instanceof Problem
    ? error
    : new Problem(0, "no_answer", error instanceof Error ? error.message : JSON.stringify(error));
}
