import { expect, it } from "vitest";

import { LAST_LINES, tailOf } from "./taskLog";

/** An answer that comes in pieces, wherever they are cut. */
function answer(text: string, size = 7): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(stream) {
      if (at >= bytes.length) {
        stream.close();
      } else {
        stream.enqueue(bytes.slice(at, (at += size)));
      }
    },
  });
  return new Response(body);
}

const lines = (...objects: object[]) => objects.map((each) => `${JSON.stringify(each)}\n`).join("");

it("keeps the last lines only, wherever the pieces are cut", async () => {
  const all = Array.from({ length: 200 }, (_, index) => ({
    timestamp: "2026-01-05T09:00:00Z",
    event: `größe ${index}`,
  }));
  const tail = await tailOf(answer(lines(...all)));
  expect(tail.cut).toBe(false);
  expect(tail.lines).toHaveLength(LAST_LINES);
  expect(tail.lines.at(-1)).toEqual({ at: "2026-01-05T09:00:00Z", level: null, text: "größe 199" });
});

it("tells an exception by its name and what it said, and leaves out the marks of groups", async () => {
  const tail = await tailOf(
    answer(
      lines(
        { event: "::group::Log message source details" },
        { event: "::endgroup::" },
        {
          event: "Task failed with exception",
          level: "error",
          error_detail: [{ exc_type: "ValueError", exc_value: "no rate" }],
        },
      ),
    ),
  );
  expect(tail.lines.map(({ level, text }) => [level, text])).toEqual([
    ["error", "Task failed with exception"],
    ["error", "ValueError: no rate"],
  ]);
});

it("shows what isn't structured as it came, and cuts what is too long", async () => {
  const tail = await tailOf(answer(`plain <b>text</b>\n${JSON.stringify({ content: "x".repeat(9000) })}`));
  expect(tail.lines[0]?.text).toBe("plain <b>text</b>");
  expect(tail.lines[1]?.text).toHaveLength(2001);
});

it("leaves a log that is too long, and says so", async () => {
  const line = `${JSON.stringify({ event: "y".repeat(999_000) })}\n`;
  const tail = await tailOf(answer(line.repeat(12), 1_000_000));
  expect(tail.cut).toBe(true);
  expect(tail.lines.length).toBeGreaterThan(0);
});

it("leaves a log that is too slow, and shows what came", async () => {
  const stop = new AbortController();
  const body = new ReadableStream<Uint8Array>({
    start(stream) {
      stream.enqueue(new TextEncoder().encode(lines({ event: "first" })));
      stop.signal.addEventListener("abort", () => stream.error(new DOMException("", "AbortError")));
    },
  });
  setTimeout(() => stop.abort(), 20);
  const tail = await tailOf(new Response(body), stop.signal);
  expect(tail).toEqual({ lines: [{ at: null, level: null, text: "first" }], cut: true });
});

it("takes an empty log for empty", async () => {
  expect(await tailOf(answer("\n"))).toEqual({ lines: [], cut: false });
});
