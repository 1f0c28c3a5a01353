/** The end of a task's log, as Airflow sends it: an object a line. */

/** So many lines of a log are shown, each so long. */
export const LAST_LINES = 30;
const LONGEST = 2000;

/** Bytes of a log that are read to get to its end. */
const MOST = 8_000_000;

export interface LogLine {
  at: string | null;
  level: string | null;
  text: string;
}

export interface Tail {
  lines: LogLine[];
  /** It was left before its end. */
  cut: boolean;
}

/** Reads an answer to its end, and keeps only the last lines; a log that is too long or too slow is left. */
export async function tailOf(answer: Response, signal?: AbortSignal): Promise<Tail> {
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let kept: string[] = [];
  let rest = "";
  let bytes = 0;
  for (;;) {
    const part = await reader?.read().catch((error: unknown) => {
      if (signal?.aborted) {
        return null;
      }
      throw error;
    });
    if (part === undefined || part?.done) {
      return { lines: linesOf([...kept, rest + decoder.decode()]), cut: false };
    }
    bytes += part?.value.byteLength ?? 0;
    if (part === null || bytes > MOST) {
      await reader?.cancel().catch(() => undefined);
      return { lines: linesOf(kept), cut: true };
    }
    const pieces = (rest + decoder.decode(part.value, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    kept = [...kept, ...pieces].slice(-2 * LAST_LINES);
  }
}

function linesOf(texts: readonly string[]): LogLine[] {
  return texts
    .filter((text) => text.trim() !== "")
    .flatMap(lineOf)
    .slice(-LAST_LINES);
}

/** A line; with an exception, its name and what it said. What isn't an object is shown as it came. */
function lineOf(text: string): LogLine[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    found = text;
  }
  if (typeof found !== "object" || found === null) {
    return [{ at: null, level: null, text: short(String(found)) }];
  }
  const { timestamp, level, event, content, error_detail } = found as Record<string, unknown>;
  const said = typeof event === "string" ? event : typeof content === "string" ? content : text;
  if (said.startsWith("::group::") || said.startsWith("::endgroup::")) {
    return [];
  }
  const line = { at: textOf(timestamp), level: textOf(level), text: short(said) };
  const errors: unknown[] = Array.isArray(error_detail) ? error_detail : [];
  return [line, ...errors.map((error) => ({ at: line.at, level: line.level, text: short(errorText(error)) }))];
}

function errorText(error: unknown): string {
  const { exc_type, exc_value } = (error ?? {}) as Record<string, unknown>;
  return [textOf(exc_type), textOf(exc_value)].filter(Boolean).join(": ");
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function short(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
