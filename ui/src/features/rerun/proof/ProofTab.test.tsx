import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Proof, Rerun } from "../../../api/types";
import "../../../i18n";
import { i18next } from "../../../i18n";
import { type Asked, showPage } from "../../../testing/page";
import {
  causeOf,
  changesOf,
  findingOf,
  memberOf,
  proofCounts,
  proofOf,
  rerunOf,
  spotOf,
} from "../../../testing/samples";
import { RecordPage } from "../RerunPage";

const report = memberOf(2, "report", { state: "failed", cause: causeOf("not_proven"), allowed_actions: ["retry"] });
const orders = memberOf(1, "orders", { state: "succeeded", role: "source" });

// A list draws what fits into it, and in jsdom nothing has a size.
beforeEach(() => {
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(60);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await i18next.changeLanguage("en");
});

function show(proof: Proof, rerun: Rerun = rerunOf({ state: "failed", final: false }), tab = "proof") {
  const members = [orders, report];
  const answer = ({ path }: Asked) =>
    ({
      "/reruns/7/changes": changesOf(rerun, members),
      "/reruns/7/members": { members, total_entries: members.length },
      "/reruns/7/links": { links: [], total_entries: 0 },
      "/reruns/7/proof": proof,
    })[path];
  return showPage(`/records/7?tab=${tab}`, "/records/:id", <RecordPage />, answer);
}

async function firstFound(): Promise<HTMLElement> {
  const [first] = await within(await screen.findByTestId("findings")).findAllByRole("listitem");
  return first ?? expect.fail("nothing is listed");
}

const violated = proofOf({
  verdict: "violated",
  counts: { proven: 14, violations: 1 },
  findings: [findingOf({ read_at: "2026-01-05T09:10:00.250Z" })],
});

it("says which pair is wrong and when it read and wrote, and leads to the member", async () => {
  const { router } = show(violated);
  expect((await screen.findByTestId("verdict")).textContent).toBe("Violated");
  const found = await firstFound();
  expect(found.textContent).toContain("report r1 read too early: load of orders r1 had not been made anew by then");
  expect(found.textContent).toContain("Read: 2026-01-05 09:10:00.250");
  expect(found.textContent).toContain("Written: 2026-01-05 09:12:00.000");
  await userEvent.setup().click(within(found).getByRole("link", { name: "orders r1" }));
  expect(router.state.location.search).toBe("?tab=proof&member=1");
});

it("is where a member leads that isn't proven", async () => {
  const { router } = show(violated, undefined, "details");
  const notice = await screen.findByTestId("failed-members");
  await userEvent.setup().click(within(notice).getByRole("button", { name: "Show proof" }));
  expect(router.state.location.search).toBe("?tab=proof");
  expect(await screen.findByText(/read too early/)).toBeTruthy();
});

it("says in one sentence that all is proven, and that the look at the end found the same", async () => {
  const kept = { at: "2026-01-05T11:00:00Z", verdict: "proven" as const, counts: proofCounts({ proven: 15 }) };
  show(proofOf({ counts: { proven: 15 }, kept }), rerunOf({ state: "succeeded", final: true }));
  expect(await screen.findByText("Everything was made anew, in order.")).toBeTruthy();
  expect(screen.getByTestId("proof-same").textContent).toContain("2026-01-05 11:00:00");
  expect(screen.queryByTestId("proof-kept")).toBeNull();
  expect(screen.getByText("No open findings")).toBeTruthy();
});

it("puts both looks side by side where they differ", async () => {
  const kept = { at: "2026-01-05T11:00:00Z", verdict: "proven" as const, counts: proofCounts({ proven: 15 }) };
  const older = { ...spotOf("report"), because_of: spotOf("orders", "load"), accepted_by: "ann" };
  show(proofOf({ counts: { proven: 14, older: 1 }, older: [older], kept }));
  expect((await screen.findByTestId("proof-kept")).textContent).toContain("Older data0");
  expect(screen.getByTestId("proof-now").textContent).toContain("Older data1");
  expect(screen.getByTestId("proof-now").textContent).toContain("1 run, or a task of one, holds older data");
  const found = await firstFound();
  expect(found.textContent).toContain("report r1 holds older data than load of orders r1 does now.");
  expect(found.textContent).toContain("Accepted by ann");
});

it.each([
  [false, "Not yet", "2 runs aren't right yet"],
  [true, "Not proven", "The rerun ended before 2 of its runs were right."],
])("tells a rerun that goes on from one that has ended: %s", async (final, verdict, meaning) => {
  show(proofOf({ verdict: "open", counts: { open: 2 } }), rerunOf({ final }));
  expect((await screen.findByTestId("verdict")).textContent).toBe(verdict);
  expect(screen.getByText(meaning, { exact: false })).toBeTruthy();
});

it("counts what the user may not read, and what isn't listed", async () => {
  const counts = { not_provable: 30, violations: 1 };
  show(proofOf({ verdict: "violated", counts, findings: violated.findings, hidden_findings: 3, hidden_runs: 2 }));
  expect((await screen.findByTestId("proof-hidden")).textContent).toBe(
    "Not shown: 3 findings about 2 runs of Dags you can't read.",
  );
  expect(screen.getByTestId("proof-left-out").textContent).toContain("27 more findings");
});

it("draws only what is in sight of ten thousand findings, and finds one of them", async () => {
  const findings = Array.from({ length: 10_000 }, (_, index) =>
    findingOf({ outcome: "not_provable", reason: "clocks_differ", reader: spotOf(`dag_${index}`) }),
  );
  show(proofOf({ verdict: "not_provable", counts: { not_provable: 10_000 }, findings }));
  expect(await screen.findByText("10000 of 10000 findings")).toBeTruthy();
  expect(within(screen.getByTestId("findings")).getAllByRole("listitem").length).toBeLessThan(60);
  await userEvent.setup().type(screen.getByLabelText("Search Dags, runs and tasks"), "dag_9999");
  expect(await screen.findByText("1 of 10000 findings")).toBeTruthy();
  expect((await firstFound()).textContent).toContain("Whether dag_9999 r1 came after load of orders r1");
});

it("offers the proof as files", async () => {
  show(violated);
  const file = await screen.findByRole("link", { name: "CSV" });
  expect(file.getAttribute("href")).toBe("/rerun-downstream/api/v1/reruns/7/proof?format=csv&limit=100000");
  expect(file.getAttribute("download")).toBe("rerun-7-proof.csv");
});

it("says it in Chinese, the task after its run", async () => {
  await i18next.changeLanguage("zh-CN");
  show(violated);
  expect((await firstFound()).textContent).toContain("当时 orders r1 的 load 尚未重新生成");
});
