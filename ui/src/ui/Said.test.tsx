import { render } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Sentence } from "../api/types";
import { i18next, speak } from "../i18n";
import { Said } from "./Said";

const DETAIL = "What the server says.";

function said(sentence: Sentence | null): HTMLElement {
  return render(<Said detail={DETAIL} sentence={sentence} />).container;
}

afterEach(() => speak(document, "en"));

describe("in Chinese", () => {
  beforeEach(() => speak(document, "zh-CN"));

  it("says a sentence with the sentences in it", () => {
    const what = { code: "part.task_of_run", params: { task: "load", run: "report / r1" } };
    const why = { code: "part.read_again", params: { why: { code: "reason.backfill_run", params: {} }, count: 2 } };
    expect(said({ code: "warning.stays_polluted", params: { what, why } }).textContent).toBe(
      "report / r1 的 load 仍为错误数据：属于回填；下游有 2 个已选的执行会再次读取它。",
    );
  });

  it("joins names, clauses and whole sentences in its own way", () => {
    const stages = [
      { code: "part.stage", params: { tasks: ["a", "b"] } },
      { code: "part.then", params: { tasks: ["c"] } },
    ];
    expect(said({ code: "warning.in_stages", params: { run: "r", count: 2, stages } }).textContent).toContain(
      "：a和b；然后 c。",
    );
    const advice = [
      { code: "advice.first_link", params: {} },
      { code: "advice.first_link", params: {} },
    ];
    const open = { downstream: "d", upstream: "u", why: "w", advice };
    expect(said({ code: "warning.unresolved_link", params: open }).textContent).toMatch(/：w。先使.*。先使.*。$/);
  });

  it("says the server's English, marked, where it has no words", () => {
    const unknown = { code: "warning.of_a_newer_server", params: {} };
    const around = { code: "warning.stays_polluted", params: { what: "r", why: unknown } };
    for (const sentence of [null, unknown, around]) {
      const found = said(sentence).querySelector("[lang=en]");
      expect(found?.textContent).toBe(DETAIL);
    }
  });

  it("takes what a user wrote as it is", () => {
    const odd = "$t(common:title) {{count}} <b>";
    expect(said({ code: "warning.paused_dag", params: { dag: odd } }).textContent).toContain(odd);
  });
});

it("says English with its plurals, and moments in the reader's time zone", () => {
  expect(said({ code: "warning.hidden_warnings", params: { count: 1 } }).textContent).toContain("1 more warning is");
  expect(said({ code: "warning.hidden_warnings", params: { count: 3 } }).textContent).toContain("3 more warnings are");
  const due = {
    dag: "report",
    logical_date: "2026-01-05T00:00:00+00:00",
    due_at: "2026-01-06T00:00:00+00:00",
    reads: { code: "part.will_read", params: {} },
    way_out: { code: "part.freeze_it", params: {} },
  };
  expect(said({ code: "warning.upcoming_run", params: due }).textContent).toContain(
    "of 2026-01-05 00:00:00, which is due at 2026-01-06 00:00:00,",
  );
  expect(i18next.language).toBe("en");
});
