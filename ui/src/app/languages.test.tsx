/** Every page with everything that the server can say, in languages that aren't English. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import type { CauseWord, EventAction, PlanWarning, Sentence } from "../api/types";
import { DagRunsPage } from "../features/dag-runs/DagRunsPage";
import { RecordPage } from "../features/rerun/RerunPage";
import { RecordsPage } from "../features/reruns/RerunsPage";
import { DagEdges } from "../features/wizard/steps/downstream/panel/DagEdges";
import { LinkFacts } from "../features/wizard/steps/downstream/panel/LinkFacts";
import { WizardPage } from "../features/wizard/WizardPage";
import { i18next, NAMESPACES } from "../i18n";
import common from "../i18n/locales/en/common.json";
import record from "../i18n/locales/en/record.json";
import sentences from "../i18n/locales/en/sentences.json";
import { type Asked, Refusal, showPage } from "../testing/page";
import { link, plan, run, SOURCE, task } from "../testing/plans";
import { causeOf, changesOf, deliveryOf, eventOf, findingOf, memberOf, proofOf, rerunOf } from "../testing/samples";
import { ProblemNotice } from "../ui/feedback/Notices";
import { Problem } from "../api/problem";

/** What stands in every English text of the server's. */
const SENTINEL = "This is what the server says";

/** Three English words in a row, of which none is to be typed as it stands. */
const ENGLISH = /(?<![-\w`.[])(?:[A-Za-z]{2,}['’]?[a-z]* ){2}[A-Za-z]{2,}(?![-\w`.])/;

/** Commands, options and names of files, which are the same in every language. */
const TYPED =
  /`[^`]*`|\[[a-z_]+\] [\w.]+( = [\w.]+)?|GET \/health|airflow db clean|airflow dags reserialize|React Flow attribution/g;

type Group = keyof typeof sentences;

/** Every sentence of a group, with something for each of its parameters. */
function every(group: Group): Sentence[] {
  const texts = new Map<string, string>();
  for (const [name, text] of Object.entries(sentences[group])) {
    const code = `${group}.${name.replace(/_(one|other)$/, "")}`;
    const counted = code.endsWith(`.${name}`) ? "" : "{{count}}";
    texts.set(code, [texts.get(code), text, counted].join(""));
  }
  return [...texts].map(([code, text]) => ({
    code,
    params: Object.fromEntries(Array.from(text.matchAll(/\{\{(\w+)\}\}/g), ([, name = ""]) => [name, valueOf(name)])),
  }));
}

function valueOf(name: string): string | number {
  if (name === "count") {
    return 2;
  }
  return /_(at|date)$/.test(name) ? "2026-01-05T09:00:00+00:00" : `<${name}>`;
}

// A busy machine draws these pages in a minute.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

const said = (sentence: Sentence) => ({ detail: SENTINEL, sentence });

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "pseudo"));
  execFileSync(process.execPath, ["pseudo.js", folder]);
  for (const namespace of NAMESPACES) {
    const texts: unknown = JSON.parse(readFileSync(join(folder, `${namespace}.json`), "utf8"));
    i18next.addResourceBundle("en-XA", namespace, texts);
  }
});

// A list draws what fits into it, and in jsdom nothing has a size.
beforeEach(() => {
  sessionStorage.clear();
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(12_000);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(60);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await i18next.changeLanguage("en");
});

/** What is English on the page, titles and labels included. */
function english(): string[] {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts: string[] = [];
  while (walker.nextNode()) {
    if (!["STYLE", "SCRIPT"].includes(walker.currentNode.parentElement?.tagName ?? "")) {
      texts.push(walker.currentNode.textContent ?? "");
    }
  }
  for (const name of ["title", "aria-label", "placeholder", "aria-valuetext"]) {
    document.body.querySelectorAll(`[${name}]`).forEach((each) => texts.push(each.getAttribute(name) ?? ""));
  }
  return texts.filter((text) => text.includes(SENTINEL) || ENGLISH.test(text.replace(TYPED, "")));
}

/** Until nothing more comes. */
async function settled(): Promise<void> {
  let before = "";
  await waitFor(
    () => {
      const now = document.body.textContent;
      const same = now === before;
      before = now;
      expect(same).toBe(true);
    },
    { interval: 400, timeout: 60_000 },
  );
}

const WARNINGS: PlanWarning[] = every("warning").map((sentence, at) => {
  const codes = Object.keys(common.warning) as PlanWarning["code"][];
  return {
    code: codes[at % codes.length] ?? "order_lost",
    ...said(sentence),
    dag_id: null,
    run_id: null,
    task_id: null,
  };
});

const WORDS = Object.keys(common.reason) as CauseWord[];
const EVENTS = [
  ...every("record").map((sentence) => ({ action: "submit" as const, ...said(sentence) })),
  ...(Object.keys(record.event) as EventAction[]).map((action) => ({ action })),
  ...WORDS.map((word) => ({ action: "member_failed" as const, detail: SENTINEL, cause: causeOf(word) })),
].map(({ action, ...more }, at) => eventOf("2026-01-05T09:05:00Z", action, { ...more, id: at + 1 }));

const MEMBERS = WORDS.map((word, at) =>
  memberOf(at + 1, `dag_${at}`, { state: "failed", state_reason: SENTINEL, cause: causeOf(word) }),
);
const DELIVERIES = Object.keys(sentences.delivery).map((error, at) => deliveryOf(at + 1, { error: `${error}: 503` }));
const RERUN = rerunOf({
  state: "failed",
  state_reason: SENTINEL,
  cause: causeOf("member_failed"),
  warnings: WARNINGS,
  notifications: [{ target: "ops", on: ["member_failed"] }],
});
const REASONS = ["read_too_early", "began_too_early", "not_made_anew", "left_untold", "rests_on_unproven"] as const;

const LINKS = every("link").map((sentence, at) => ({
  ...link("orders", "clean", "sensor", "unresolved"),
  from_task_id: `task_${at}`,
  via: { why: SENTINEL, sentence, to_do: Object.keys(common.advice), advice: SENTINEL },
}));
const EDGES = LINKS.map(({ via, kind, evidence, from_task_id }) => ({
  ...{ upstream_dag_id: "orders", downstream_dag_id: "clean", kind, evidence, from_task_id, to_task_id: null },
  ...{ why: SENTINEL, sentence: via.sentence, to_do: via.to_do, advice: SENTINEL, via: {} },
}));

const ANSWERS: Record<string, unknown> = {
  "GET /health": {
    status: "unhealthy",
    components: Object.fromEntries(
      every("health").map((sentence, at) => [
        Object.keys(common.component)[at] ?? `part_${at}`,
        { status: "degraded", ...said(sentence) },
      ]),
    ),
  },
  "GET /dag-runs": { dag_runs: [run("orders")], total_entries: 1, source_ready_since: null },
  "GET /dag-runs/orders/r1/task-instances": {
    task_instances: WORDS.map((word, at) => task(`task_${at}`, { reason: word as never })),
    structure: [],
    total_entries: WORDS.length,
  },
  "POST /plans": plan([run("clean"), run("report")], [link("orders", "clean"), ...LINKS], { warnings: WARNINGS }),
  "POST /reviews": { warnings: WARNINGS, waves: [[SOURCE]], stopped: [], frozen: [] },
  "GET /dags/clean/edges": { dag_id: "clean", edges: EDGES, total_entries: EDGES.length, hidden_dags: 2, warnings: [] },
  "GET /notification-targets": { notification_targets: [] },
  "GET /reruns": { reruns: [RERUN], total_entries: 1 },
  "GET /reruns/7/changes": changesOf(RERUN, MEMBERS, EVENTS),
  "GET /reruns/7/members": { members: MEMBERS, total_entries: MEMBERS.length },
  "GET /reruns/7/links": { links: [], total_entries: 0 },
  "GET /reruns/7/notifications": { notifications: DELIVERIES, total_entries: DELIVERIES.length },
  "GET /reruns/7/not-made-anew": { not_made_anew: [], total_entries: 0 },
  "GET /reruns/7/proof": proofOf({
    verdict: "violated",
    counts: { violations: REASONS.length },
    findings: REASONS.map((reason) => findingOf({ reason })),
  }),
};

const show = (address: string, route: string, page: ReactNode, more: Record<string, unknown> = {}) =>
  showPage(address, route, page, ({ method, path }: Asked) => ({ ...ANSWERS, ...more })[`${method} ${path}`]);

describe.each([["zh-CN"], ["en-XA"]])("in %s", (language) => {
  beforeEach(() => i18next.changeLanguage(language));

  /** How a text of the catalogue begins in the language. */
  const known = (key: string): string => (i18next.t as (key: string) => string)(key);

  it("the records and the Dag runs are", async () => {
    show("/records", "/records", <RecordsPage />);
    await screen.findAllByText(known("rerunState.failed"), { exact: false });
    show("/runs", "/runs", <DagRunsPage />);
    await screen.findAllByText(known("health.title"));
    expect(english()).toEqual([]);
  });

  it.each(["details", "events", "table", "proof", "timeline"])("the record's %s are", async (tab) => {
    show(`/records/7?tab=${tab}`, "/records/:id", <RecordPage />);
    await screen.findByTestId("rerun-state");
    await settled();
    expect(english()).toEqual([]);
  });

  it("the record shows every event, and every warning", async () => {
    show("/records/7?tab=events", "/records/:id", <RecordPage />);
    await waitFor(() => expect(screen.getAllByRole("row").length).toBeGreaterThan(EVENTS.length));
    show("/records/7?tab=details", "/records/:id", <RecordPage />);
    const details = await screen.findByTestId("details");
    expect(details.querySelectorAll("[role=alert], li").length).toBeGreaterThanOrEqual(WARNINGS.length);
    expect(english()).toEqual([]);
  });

  it("the wizard is, with all that it warns of", async () => {
    show("/rerun?dag_id=orders&run_id=r1", "/rerun", <WizardPage />);
    await screen.findAllByText(known("wizard:tasks.why"));
    expect(english()).toEqual([]);
    for (const step of ["downstream", "settings", "review"]) {
      await userEvent.click(screen.getByRole("button", { name: known("action.next") }));
      await settled();
      expect([step, ...english()]).toEqual([step]);
    }
  });

  it("every link and every edge is", async () => {
    const facts = LINKS.map((each, at) => <LinkFacts key={at} link={each} />);
    const { container } = show("/", "/", [...facts, <DagEdges key="edges" dagId="clean" />]);
    await userEvent.click(screen.getByText(i18next.t("wizard:edges.show", { dag: "clean" })));
    await waitFor(() => expect(container.querySelectorAll("dl").length).toBe(2 * LINKS.length));
    expect(english()).toEqual([]);
  });

  it("every refusal is", () => {
    const refusals = every("refusal").map((each) => new Problem(409, "conflict", SENTINEL, {}, undefined, each));
    const notices = refusals.map((each, at) => <ProblemNotice key={at} error={each} />);
    show("/", "/", <>{notices}</>);
    expect(screen.getAllByTestId("problem")).toHaveLength(refusals.length);
    expect(english()).toEqual([]);
  });

  it("a refused review is", async () => {
    const body = { reason: "stale_plan", changes: [], ...said({ code: "refusal.stale_plan", params: { count: 2 } }) };
    show("/rerun?dag_id=orders&run_id=r1&step=review", "/rerun", <WizardPage />, {
      "POST /reviews": new Refusal(409, body),
    });
    await screen.findByTestId("stale-plan");
    expect(english()).toEqual([]);
  });
});

it("finds English, and what the server says", () => {
  show("/", "/", <p title="one two three">{SENTINEL}</p>);
  expect(english()).toEqual([SENTINEL, "one two three"]);
});
